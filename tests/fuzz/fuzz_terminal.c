/*
 * fuzz_terminal.c - text from outside on its way to a terminal or a log: no
 * control reaches it, and nothing is lost on the way.
 */
#include "tests/fuzz/fuzz.h"

#include "base/diag.h"
#include "base/json.h"
#include "ui/diag_json.h"
#include "ui/table.h"

/* Pieces cut between characters, escaped one by one, come to the same. */
static void
check_escaped(struct str text, size_t cut)
{
	struct strbuf whole = {0}, parts = {0}, twice = {0};

	strbuf_add_escaped(&whole, text);
	fuzz_assert_shown(strbuf_str(&whole), false);
	/* What has been escaped stays as it is. */
	strbuf_add_escaped(&twice, strbuf_str(&whole));
	assert(str_eq(strbuf_str(&whole), strbuf_str(&twice)));
	for (size_t at = 0, n; at < text.len; at += n) {
		uint32_t code;
		n = utf8_decode(str_sub(text, at, text.len), &code);
		n = n > 0 ? n : 1;
		if (at >= cut)
			n = text.len - at;
		strbuf_add_escaped(&parts, str_sub(text, at, n));
	}
	assert(str_eq(strbuf_str(&whole), strbuf_str(&parts)));
	strbuf_release(&whole);
	strbuf_release(&parts);
	strbuf_release(&twice);
}

static bool
is_utf8(struct str text)
{
	uint32_t code;
	for (size_t at = 0, n; at < text.len; at += n) {
		n = utf8_decode(str_sub(text, at, text.len), &code);
		if (n == 0)
			return false;
	}
	return true;
}

/* As JSON it can be shown as well, and is read back whole. */
static void
check_json(struct arena *arena, struct str text)
{
	struct json_reader reader = { .arena = arena, .where = "fuzz" };
	struct json_error error;
	struct strbuf out = {0};
	struct json doc;
	struct str back;

	strbuf_add_json(&out, text);
	fuzz_assert_shown(strbuf_str(&out), false);
	if (str_find(text, '\0') < 0) {
		struct json_limits limits = { .bytes = 1 << 20 };
		bool ok = json_parse(arena, strbuf_str(&out), limits, &doc,
		    &error) && json_value_str(&reader, json_root(&doc),
		    &back);
		assert(ok);
		assert(str_eq(back, text) == is_utf8(text));
	}
	strbuf_release(&out);
}

/* A diagnostic with all of its parts made of such text. */
static void
check_diag(struct arena *arena, struct str name, struct str text,
    struct fuzz *in)
{
	struct sources sources = { .arena = arena };
	struct diags diags = { .arena = arena, .sources = &sources };
	struct diag_style style = { .width = (int)fuzz_below(in, 200) };
	struct strbuf out = {0};
	struct span span = { .source = sources_add(&sources, name, text) };

	span.offset = (uint32_t)fuzz_below(in, text.len + 1);
	span.length = (uint32_t)fuzz_below(in, text.len - span.offset + 1);
	span.line = 1, span.column = 1;
	for (size_t i = 0; i < span.offset; i++)
		if (text.data[i] == '\n')
			span.line++;
	diag_error(&diags, "PF0001", span, "cannot '" STR_FMT "'",
	    STR_ARG(name));
	diag_hint(&diags, STR_FMT, STR_ARG(text));
	diag_related(&diags, span, STR_FMT, STR_ARG(name));
	diag_while(&diags, span, STR_FMT, STR_ARG(text));
	diags_print(&out, &diags, style);
	fuzz_assert_shown(strbuf_str(&out), true);
	strbuf_reset(&out);
	diag_json_document(&out, &diags);
	fuzz_assert_shown(strbuf_str(&out), true);
	struct json doc;
	struct json_error error;
	struct json_limits limits = { .bytes = 4 << 20 };
	/* Our own reader takes no NUL. */
	bool ok = str_find(text, '\0') >= 0 || str_find(name, '\0') >= 0 ||
	     json_parse(arena, str_trim(strbuf_str(&out)), limits, &doc,
	    &error);
	assert(ok);
	strbuf_release(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = {0};
	struct fuzz in = { data, size };
	struct fuzz choices = { data, size < 8 ? size : 8 };
	size_t cut = fuzz_below(&in, 64);
	struct str name = fuzz_str(&in, 40), text = fuzz_rest(&in);

	check_escaped(text, cut);
	check_json(&arena, text);
	check_diag(&arena, name, text, &choices);
	arena_release(&arena);
	return 0;
}
