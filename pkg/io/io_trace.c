/* io_trace.c - see io_trace.h */
#include "io/io_trace.h"

void
io_trace_init(struct io_trace *trace,
    void (*say)(void *ctx, struct str line), void *ctx)
{
	*trace = (struct io_trace){ .say = say, .ctx = ctx };
	if (say != NULL)
		trace->redactor = redactor_new();
}

void
io_trace_release(struct io_trace *trace)
{
	if (trace->redactor != NULL)
		redactor_free(trace->redactor);
	*trace = (struct io_trace){0};
}

bool
io_trace_wanted(const struct io_trace *trace)
{
	return trace->say != NULL;
}

void
io_trace_hide(struct io_trace *trace, struct str secret)
{
	if (trace->redactor != NULL && secret.len > 0)
		redactor_add(trace->redactor, secret);
}

static void
say(struct io_trace *trace, struct str line)
{
	struct strbuf out = {0};
	redact(trace->redactor, &out, line);
	trace->say(trace->ctx, strbuf_str(&out));
	strbuf_release(&out);
}

/* The address of a download: its query may be a signature that lets
 * anybody have the file. */
static struct str
shown_url(const struct io_transfer *transfer)
{
	struct str rest, url = strbuf_str(&transfer->url);
	return transfer->sink.write != NULL ? str_cut(url, '?', &rest) : url;
}

void
io_trace_begin(struct io_trace *trace, const struct io_transfer *transfer)
{
	struct strbuf line = {0};
	if (trace->say == NULL)
		return;
	strbuf_addf(&line, "> %s " STR_FMT, http_method_name(transfer->method),
	    STR_ARG(shown_url(transfer)));
	if (transfer->body.len > 0)
		strbuf_addf(&line, " (%zu bytes)", transfer->body.len);
	say(trace, strbuf_str(&line));
	strbuf_release(&line);
}

void
io_trace_end(struct io_trace *trace, const struct io_transfer *transfer,
    int64_t took_ms)
{
	const struct io_event *event = transfer->event;
	const struct http_answer *http = &event->event.http;
	struct strbuf line = {0};

	if (trace->say == NULL)
		return;
	strbuf_adds(&line, "< ");
	if (http->outcome == HTTP_ANSWERED)
		strbuf_addf(&line, "%d", http->status);
	else
		strbuf_adds(&line, http->outcome == HTTP_NOT_SENT ?
		    "not sent" : "no answer");
	strbuf_addf(&line, " %s " STR_FMT, http_method_name(transfer->method),
	    STR_ARG(shown_url(transfer)));
	if (http->outcome == HTTP_ANSWERED)
		strbuf_addf(&line, " (%zu bytes, %lld ms)", event->body.len,
		    (long long)took_ms);
	else
		strbuf_addf(&line, ": " STR_FMT,
		    STR_ARG(strbuf_str(&event->reason)));
	say(trace, strbuf_str(&line));
	strbuf_release(&line);
}

/*
 * Over HTTP/2 libcurl tells the headers that it sends as plain information,
 * the token among them: such lines are dropped whole, before the redactor
 * gets to see them.
 */
static bool
tells_sent_headers(struct str line)
{
	return str_starts(line, STR("h2h3 [")) ||
	    str_search_fold(line, STR("authorization")) >= 0 ||
	    str_search_fold(line, STR("bearer")) >= 0;
}

int
io_trace_debug(CURL *easy, curl_infotype type, char *data, size_t n,
    void *ctx)
{
	struct io_trace *trace = ctx;
	struct str rest = { data, n };
	(void)easy;

	if (type != CURLINFO_TEXT && type != CURLINFO_HEADER_IN)
		return 0;
	while (rest.len > 0) {
		struct strbuf line = {0};
		struct str text = str_trim(str_cut(rest, '\n', &rest));
		if (text.len == 0 || tells_sent_headers(text) ||
		    str_search_fold(text, STR("set-cookie")) == 0)
			continue;
		if (str_search_fold(text, STR("location:")) == 0) {
			struct str query;
			text = str_cut(text, '?', &query);
		}
		strbuf_addf(&line, "%s " STR_FMT,
		    type == CURLINFO_TEXT ? "*" : "<", STR_ARG(text));
		say(trace, strbuf_str(&line));
		strbuf_release(&line);
	}
	return 0;
}
