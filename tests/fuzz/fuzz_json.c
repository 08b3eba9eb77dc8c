/*
 * fuzz_json.c - our scanner beside json-c: the same verdict, and the same
 * values.
 *
 * What we accept, json-c accepts, and writes as we understood it.  What we
 * refuse, json-c refuses too, but for the reasons listed: RFC 8259 leaves
 * them open, or json-c is laxer than it.
 */
#include "tests/fuzz/fuzz.h"

#include "base/json.h"
#include "tests/unit/jsonc_oracle.h"

/* As json-c writes strings: only what has to be is escaped. */
static void
write_string(struct strbuf *out, struct str text)
{
	static const char short_form[0x20] = { ['\b'] = 'b', ['\t'] = 't',
		['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r' };

	strbuf_addc(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.data[i];
		if (c == '"' || c == '\\')
			strbuf_addf(out, "\\%c", c);
		else if (c < 0x20 && short_form[c] != 0)
			strbuf_addf(out, "\\%c", short_form[c]);
		else if (c < 0x20)
			strbuf_addf(out, "\\u%04x", c);
		else
			strbuf_addc(out, (char)c);
	}
	strbuf_addc(out, '"');
}

/*
 * json-c keeps whole numbers in 64 bits and clamps what is beyond; it keeps
 * the text of all others.  It also forgets the sign of -0.
 */
static void
write_number(struct strbuf *out, struct str text)
{
	bool negative = text.data[0] == '-';
	struct str digits = str_sub(text, negative, text.len);
	struct str most = negative ? STR("9223372036854775808")
				   : STR("18446744073709551615");

	if (str_find(text, '.') >= 0 || str_find(text, 'e') >= 0 ||
	    str_find(text, 'E') >= 0)
		strbuf_add(out, text);
	else if (str_is(text, "-0"))
		strbuf_addc(out, '0');
	else {
		if (digits.len > most.len || (digits.len == most.len &&
		    memcmp(digits.data, most.data, most.len) > 0))
			digits = most;
		strbuf_adds(out, negative ? "-" : "");
		strbuf_add(out, digits);
	}
}

/* Count every value on the way: the tape's own counts must agree. */
static void
write_value(struct arena *arena, struct strbuf *out, struct json_value value,
    unsigned depth)
{
	struct json_reader reader = { .arena = arena, .where = "fuzz" };
	bool object = json_type(value) == JSON_OBJECT;
	size_t count = 0;
	struct str text;

	assert(depth <= 32);
	if (json_type(value) == JSON_STRING) {
		bool ok = json_value_str(&reader, value, &text);
		assert(ok && !reader.failed);
		write_string(out, text);
		return;
	}
	if (json_type(value) == JSON_NUMBER) {
		write_number(out, json_text(value));
		return;
	}
	if (!object && json_type(value) != JSON_ARRAY) {
		strbuf_add(out, json_text(value));
		return;
	}
	strbuf_addc(out, object ? '{' : '[');
	struct json_iter it = json_iter(value);
	while (json_next(&it)) {
		if (count++ > 0)
			strbuf_addc(out, ',');
		if (object) {
			write_string(out, json_iter_key(arena, &it));
			strbuf_addc(out, ':');
		}
		write_value(arena, out, it.value, depth + 1);
	}
	assert(count == json_count(value));
	strbuf_addc(out, object ? '}' : ']');
}

static bool
parse(struct arena *arena, struct str text, struct json *doc,
    struct json_error *error)
{
	return json_parse(arena, text, (struct json_limits){0}, doc, error);
}

/* Why we may refuse what json-c takes. */
static bool
is_explained(const struct json_error *error, struct str text)
{
	static const char *const reasons[] = {
		/* RFC 8259 leaves it open, and I-JSON forbids it: two readers
		 * would see two values. */
		"duplicate key",
		/* Nothing that we are told has one, and C would cut it. */
		"NUL in a string",
		/* json-c puts U+FFFD there; no text has one. */
		"lone surrogate",
		/* json-c takes tabs and newlines in strings as they are. */
		"control character in a string",
		/* A limit of ours: 32, the oracle has 64. */
		"nested too deeply",
		/* json-c reads 007 as 7. */
		"leading zero",
		/* json-c knows NaN and Infinity. */
		"value expected", "digit expected",
		/* json-c takes overlong forms of a character. */
		"not UTF-8",
		/* json-c passes over one at the start. */
		"byte order mark",
	};
	/* json-c's own text ends at a NUL. */
	if (memchr(text.data, '\0', text.len) != NULL)
		return true;
	/* It takes "1." for a number. */
	if (strcmp(error->reason, "unexpected end") == 0)
		return str_ends(text, STR("."));
	for (size_t i = 0; i < COUNTOF(reasons); i++)
		if (strcmp(error->reason, reasons[i]) == 0)
			return true;
	return false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = {0};
	struct json doc, again;
	struct json_error error = {0};
	struct strbuf ours = {0}, theirs = {0};
	struct str text = { (const char *)data, size };
	/* The oracle wants a NUL behind; we get the bare bytes. */
	struct str copy = arena_str(&arena, text);
	bool accepted = parse(&arena, text, &doc, &error);
	bool oracle = jsonc_accepts(copy, &theirs);

	if (accepted) {
		write_value(&arena, &ours, json_root(&doc), 0);
		assert(oracle);
		assert(str_eq(strbuf_str(&ours), strbuf_str(&theirs)));
		/* A value's own text is a document. */
		accepted = parse(&arena, json_text(json_root(&doc)), &again,
		    &error);
		assert(accepted);
	} else {
		assert(error.reason != NULL && error.offset <= size);
		assert(!oracle || is_explained(&error, copy));
	}
	strbuf_release(&ours);
	strbuf_release(&theirs);
	arena_release(&arena);
	return 0;
}
