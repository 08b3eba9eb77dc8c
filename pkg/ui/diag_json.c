/* diag_json.c - see diag_json.h */
#include "ui/diag_json.h"

#include <string.h>

struct position { uint32_t line, column, byte; };

/* Where a span ends; it may cross lines. */
static struct position
end_of(const struct source *source, struct span span)
{
	struct position at = { span.line, span.column, span.offset };
	uint32_t end = span.offset + span.length, code;

	while (at.byte < end && at.byte < source->text.len) {
		size_t n = utf8_decode(str_sub(source->text, at.byte, 4),
		    &code);
		if (source->text.data[at.byte] == '\n') {
			at.line++;
			at.column = 0;
		}
		at.column++;
		at.byte += n > 0 ? (uint32_t)n : 1;
	}
	return at;
}

static void
put_position(struct json_writer *w, const char *key, struct position at)
{
	json_key(w, key);
	json_begin_inline(w, '{');
	json_member_int(w, "line", at.line);
	json_member_int(w, "column", at.column);
	json_member_int(w, "byte", at.byte);
	json_end(w, '}');
}

static void
put_range(struct json_writer *w, const struct source *source,
    struct span span)
{
	json_key(w, "range");
	json_begin(w, '{');
	json_member_str(w, "filename", source->name);
	put_position(w, "start", (struct position){ span.line, span.column,
	    span.offset });
	put_position(w, "end", end_of(source, span));
	json_end(w, '}');
}

/* The line that the span begins on; what is marked is cut at its end. */
static void
put_snippet(struct json_writer *w, const struct diags *diags,
    const struct source *source, struct span span)
{
	struct str line = span_line(diags->sources, span);
	const char *begin = line.data;
	size_t start, end;

	if (line.data == NULL)
		return;
	start = span.offset - (size_t)(begin - source->text.data);
	if (start > line.len)
		start = line.len;
	end = start + span.length < line.len ? start + span.length : line.len;
	json_key(w, "snippet");
	json_begin(w, '{');
	json_key(w, "context");
	json_put_null(w);
	json_member_str(w, "code", line);
	json_member_int(w, "start_line", span.line);
	json_member_int(w, "highlight_start_offset", (int64_t)start);
	json_member_int(w, "highlight_end_offset", (int64_t)end);
	json_end(w, '}');
}

static void
add_note(struct strbuf *buf, struct arena *arena, const struct diags *diags,
    const struct diag_note *note)
{
	struct str place = span_place(arena, diags->sources, note->span, true);

	if (buf->len > 0)
		strbuf_addc(buf, '\n');
	strbuf_add(buf, note->text);
	if (place.len > 0)
		strbuf_addf(buf, " (" STR_FMT ")", STR_ARG(place));
}

static void
put_detail(struct json_writer *w, const struct diags *diags,
    const struct diag *diag)
{
	struct arena arena = {0};
	struct strbuf buf = {0};

	for (size_t i = 0; i < diag->hints.n; i++)
		strbuf_addf(&buf, "%shint: " STR_FMT, buf.len > 0 ? "\n" : "",
		    STR_ARG(diag->hints.items[i]));
	for (size_t i = 0; i < diag->related.n; i++)
		add_note(&buf, &arena, diags, &diag->related.items[i]);
	for (size_t i = 0; i < diag->causes.n; i++)
		add_note(&buf, &arena, diags, &diag->causes.items[i]);
	json_key(w, "detail");
	json_put_str(w, strbuf_str(&buf));
	strbuf_release(&buf);
	arena_release(&arena);
}

void
diag_json(struct json_writer *w, const struct diags *diags,
    const struct diag *diag)
{
	const struct source *source = sources_get(diags->sources,
	    diag->span.source);

	json_begin(w, '{');
	json_member_str(w, "severity", diag->severity == SEVERITY_ERROR ?
	    STR("error") : STR("warning"));
	json_member_str(w, "summary", diag->message);
	put_detail(w, diags, diag);
	json_member_str(w, "code", str_from(diag->code));
	if (source != NULL) {
		put_range(w, source, diag->span);
		put_snippet(w, diags, source, diag->span);
	}
	json_end(w, '}');
}

void
diag_json_list(struct json_writer *w, const struct diags *diags)
{
	json_begin(w, '[');
	for (size_t i = 0; diags != NULL && i < diags->list.n; i++)
		diag_json(w, diags, diags->list.items[i]);
	json_end(w, ']');
}

void
diag_json_document(struct strbuf *out, const struct diags *diags)
{
	struct json_writer w = { .out = out, .indent = 2 };

	json_begin(&w, '{');
	json_member_str(&w, "format_version", STR("1.0"));
	json_member_bool(&w, "valid", diags->errors == 0);
	json_member_int(&w, "error_count", (int64_t)diags->errors);
	json_member_int(&w, "warning_count", (int64_t)diags->warnings);
	json_key(&w, "diagnostics");
	diag_json_list(&w, diags);
	json_end(&w, '}');
	strbuf_addc(out, '\n');
}
