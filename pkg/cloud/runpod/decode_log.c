/*
 * decode_log.c - a pod's log out of an event stream; see decode.h
 *
 * The service sends the lines there are and then keeps the stream open, with
 * a comment now and then as a heartbeat; so the body ends wherever reading it
 * has ended, in the middle of an event perhaps, which then is left out.
 */
#include "base/json.h"
#include "cloud/runpod/decode.h"

enum {
	TIME_MAX = 64,		/* RFC 3339 needs 35 at most */
};

struct stream {
	struct arena *arena;
	struct cloud_answer *out;
	size_t capacity;		/* of out->lines */
	struct strbuf data;		/* of the event so far */
	struct str name;		/* its type; absent: a message */
	const char *wrong;
};

static void
add_line(struct stream *stream, const struct log_line *line)
{
	struct cloud_answer *out = stream->out;

	out->lines = arena_grow(stream->arena, out->lines, out->nlines,
	    &stream->capacity, sizeof *out->lines);
	out->lines[out->nlines++] = *line;
}

/* An object without `line` is news about the stream, such as a heartbeat. */
static void
read_line(struct stream *stream, struct json_value root)
{
	struct json_reader reader = { .arena = stream->arena,
		.where = "log" };
	struct log_line line = {0};
	struct str source = {0};

	if (!json_exists(json_get(root, "line")))
		return;
	json_read_str(&reader, root, "line", REQUIRED, &line.text);
	json_read_str(&reader, root, "ts", NULLABLE, &line.time);
	json_read_str(&reader, root, "source", NULLABLE, &source);
	if (reader.failed) {
		stream->wrong = "an event of the log has members of a "
		    "wrong type";
		return;
	}
	line.text = arena_str(stream->arena, line.text);
	line.time = line.time.len == 0 || line.time.len > TIME_MAX ?
	    (struct str){0} : arena_str(stream->arena, line.time);
	line.system = str_is(source, "system");
	add_line(stream, &line);
}

/* An empty line: the event is complete. */
static void
end_event(struct stream *stream)
{
	struct arena scratch = {0};
	struct json doc;
	struct json_error error;

	if (stream->data.len > 0) {
		if (json_parse(&scratch, strbuf_str(&stream->data),
		    (struct json_limits){0}, &doc, &error))
			read_line(stream, json_root(&doc));
		else if (stream->name.data == NULL)
			stream->wrong = "an event of the log is not JSON";
	}
	arena_release(&scratch);
	strbuf_reset(&stream->data);
	stream->name = (struct str){0};
}

/* A comment has none: ": heartbeat". */
static bool
is_field(struct str name)
{
	return name.len == 0 || str_is(name, "id") || str_is(name, "data") ||
	    str_is(name, "event") || str_is(name, "retry");
}

static void
take_line(struct stream *stream, struct str line)
{
	struct str value, field = str_cut(line, ':', &value);

	if (line.len == 0) {
		end_event(stream);
		return;
	}
	if (str_starts(value, STR(" ")))
		value = str_sub(value, 1, value.len);
	if (str_is(field, "data")) {
		if (stream->data.len > 0)
			strbuf_addc(&stream->data, '\n');
		strbuf_add(&stream->data, value);
	} else if (str_is(field, "event")) {
		stream->name = str_is(value, "message") ? (struct str){0} :
		    value;
	} else if (!is_field(field)) {
		stream->wrong = "not an event stream";
	}
}

/* Cut one line off, which ends in LF, CR LF or CR; false: none is whole. */
static bool
next_line(struct str *body, struct str *line)
{
	for (size_t i = 0; i < body->len; i++) {
		size_t end = 1;
		if (body->data[i] != '\n' && body->data[i] != '\r')
			continue;
		if (body->data[i] == '\r' && i + 1 < body->len &&
		    body->data[i + 1] == '\n')
			end = 2;
		*line = (struct str){ body->data, i };
		*body = str_sub(*body, i + end, body->len);
		return true;
	}
	return false;
}

bool
decode_log(struct arena *arena, struct str body, struct cloud_answer *out,
    struct str *why)
{
	struct stream stream = { .arena = arena, .out = out };
	struct str line;

	if (str_starts(body, STR("\xef\xbb\xbf")))
		body = str_sub(body, 3, body.len);
	while (stream.wrong == NULL && next_line(&body, &line))
		take_line(&stream, line);
	/* What has no end yet may still be seen to be something else. */
	if (stream.wrong == NULL && str_find(body, ':') >= 0 &&
	    !is_field(str_cut(body, ':', &line)))
		stream.wrong = "not an event stream";
	if (stream.wrong == NULL) {
		/* A last event that is whole but for its empty line; if it
		 * is cut, there is no event. */
		end_event(&stream);
		stream.wrong = NULL;
	}
	strbuf_release(&stream.data);
	*why = str_from(stream.wrong);
	return stream.wrong == NULL;
}
