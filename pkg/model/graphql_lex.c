/*
 * graphql_lex.c - the words of a GraphQL document.
 */
#include "model/graphql_lex.h"

#include <string.h>

#include "base/strbuf.h"

static bool
is_name_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The byte at position at, or NUL at the end. */
static char
peek(const struct gql_lexer *lexer, size_t at)
{
	return at < lexer->text.len ? lexer->text.data[at] : '\0';
}

static struct gql_token
bad(struct gql_lexer *lexer, size_t offset, const char *why)
{
	lexer->why = arena_str(lexer->arena, str_from(why));
	lexer->at = lexer->text.len;
	return (struct gql_token){ TOKEN_BAD, STR(""), offset };
}

static void
skip_ignored(struct gql_lexer *lexer)
{
	if (lexer->at == 0 &&
	    str_starts(lexer->text, STR("\xef\xbb\xbf")))
		lexer->at = 3;
	while (lexer->at < lexer->text.len) {
		char c = lexer->text.data[lexer->at];

		if (c == '#') {
			while (lexer->at < lexer->text.len &&
			    lexer->text.data[lexer->at] != '\n' &&
			    lexer->text.data[lexer->at] != '\r')
				lexer->at++;
		} else if (c == ' ' || c == '\t' || c == '\n' || c == '\r' ||
		    c == ',') {
			lexer->at++;
		} else {
			return;
		}
	}
}

static struct gql_token
lex_number(struct gql_lexer *lexer)
{
	size_t start = lexer->at, at = start;
	enum gql_token_kind kind = TOKEN_INT;

	if (peek(lexer, at) == '-')
		at++;
	if (!is_digit(peek(lexer, at)))
		return bad(lexer, start, "Invalid number, expected digit.");
	if (peek(lexer, at) == '0' && is_digit(peek(lexer, at + 1)))
		return bad(lexer, start,
		    "Invalid number, unexpected digit after 0.");
	while (is_digit(peek(lexer, at)))
		at++;
	if (peek(lexer, at) == '.') {
		kind = TOKEN_FLOAT;
		if (!is_digit(peek(lexer, ++at)))
			return bad(lexer, at,
			    "Invalid number, expected digit.");
		while (is_digit(peek(lexer, at)))
			at++;
	}
	if (peek(lexer, at) == 'e' || peek(lexer, at) == 'E') {
		kind = TOKEN_FLOAT;
		at++;
		if (peek(lexer, at) == '+' || peek(lexer, at) == '-')
			at++;
		if (!is_digit(peek(lexer, at)))
			return bad(lexer, at,
			    "Invalid number, expected digit.");
		while (is_digit(peek(lexer, at)))
			at++;
	}
	if (is_name_start(peek(lexer, at)) || peek(lexer, at) == '.')
		return bad(lexer, at,
		    "Invalid number, expected digit but got a letter.");
	lexer->at = at;
	return (struct gql_token){ kind,
	    str_sub(lexer->text, start, at - start), start };
}

static int
hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static void
add_utf8(struct strbuf *out, uint32_t code)
{
	if (code < 0x80) {
		strbuf_addc(out, (char)code);
	} else if (code < 0x800) {
		strbuf_addc(out, (char)(0xc0 | code >> 6));
		strbuf_addc(out, (char)(0x80 | (code & 0x3f)));
	} else if (code < 0x10000) {
		strbuf_addc(out, (char)(0xe0 | code >> 12));
		strbuf_addc(out, (char)(0x80 | (code >> 6 & 0x3f)));
		strbuf_addc(out, (char)(0x80 | (code & 0x3f)));
	} else {
		strbuf_addc(out, (char)(0xf0 | code >> 18));
		strbuf_addc(out, (char)(0x80 | (code >> 12 & 0x3f)));
		strbuf_addc(out, (char)(0x80 | (code >> 6 & 0x3f)));
		strbuf_addc(out, (char)(0x80 | (code & 0x3f)));
	}
}

/* `XXXX` or `{X...}` after `\u`; moves *at behind it. */
static bool
read_hex(const struct gql_lexer *lexer, size_t *at, uint32_t *code)
{
	bool braces = peek(lexer, *at) == '{';
	size_t n = 0;

	*code = 0;
	*at += braces;
	while (n < (braces ? 8 : 4)) {
		int digit = hex_value(peek(lexer, *at));

		if (digit == -1)
			break;
		*code = *code << 4 | (uint32_t)digit;
		(*at)++;
		n++;
	}
	if (braces)
		return n > 0 && peek(lexer, (*at)++) == '}' &&
		    *code <= 0x10ffff;
	return n == 4;
}

/* A surrogate has to be one half of a pair. */
static bool
read_unicode(const struct gql_lexer *lexer, size_t *at, struct strbuf *out)
{
	uint32_t code, low;

	if (!read_hex(lexer, at, &code))
		return false;
	if (code >= 0xd800 && code < 0xdc00) {
		if (peek(lexer, *at) != '\\' || peek(lexer, *at + 1) != 'u')
			return false;
		*at += 2;
		if (!read_hex(lexer, at, &low) || low < 0xdc00 || low > 0xdfff)
			return false;
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
	} else if (code >= 0xdc00 && code <= 0xdfff) {
		return false;
	}
	add_utf8(out, code);
	return true;
}

static bool
read_escape(const struct gql_lexer *lexer, size_t *at, struct strbuf *out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	char c = peek(lexer, (*at)++);
	const char *found;

	if (c == 'u')
		return read_unicode(lexer, at, out);
	found = c != '\0' ? strchr(from, c) : NULL;
	if (found == NULL)
		return false;
	strbuf_addc(out, to[found - from]);
	return true;
}

static struct gql_token
lex_string(struct gql_lexer *lexer)
{
	size_t start = lexer->at, at = start + 1;
	struct strbuf out = {0};
	struct gql_token token;

	for (;;) {
		char c = peek(lexer, at);

		if (at >= lexer->text.len || c == '\n' || c == '\r') {
			token = bad(lexer, at, "Unterminated string.");
			break;
		}
		at++;
		if (c == '"') {
			lexer->at = at;
			token = (struct gql_token){ TOKEN_STRING,
			    arena_str(lexer->arena, strbuf_str(&out)), start };
			break;
		}
		if (c != '\\') {
			strbuf_addc(&out, c);
		} else if (!read_escape(lexer, &at, &out)) {
			token = bad(lexer, at,
			    "Invalid character escape sequence.");
			break;
		}
	}
	strbuf_release(&out);
	return token;
}

/* One line of a block, without its line end; moves *at to the next. */
static struct str
block_line(struct str raw, size_t *at)
{
	size_t start = *at, end;

	while (*at < raw.len && raw.data[*at] != '\n' && raw.data[*at] != '\r')
		(*at)++;
	end = *at;
	if (*at < raw.len && raw.data[(*at)++] == '\r' && *at < raw.len &&
	    raw.data[*at] == '\n')
		(*at)++;
	return str_sub(raw, start, end - start);
}

static size_t
leading_blank(struct str line)
{
	size_t n = 0;

	while (n < line.len && (line.data[n] == ' ' || line.data[n] == '\t'))
		n++;
	return n;
}

/* Take away common indentation and the blank lines around (section 2.9.4). */
static struct str
block_value(struct arena *arena, struct str raw)
{
	size_t indent = SIZE_MAX, first = SIZE_MAX, last = 0, n = 0;
	struct strbuf out = {0};
	struct str result;

	for (size_t at = 0; at < raw.len || n == 0; n++) {
		struct str line = block_line(raw, &at);
		size_t blank = leading_blank(line);

		if (blank < line.len) {
			if (n > 0 && blank < indent)
				indent = blank;
			if (first == SIZE_MAX)
				first = n;
			last = n;
		}
		if (at >= raw.len)
			break;
	}
	n = 0;
	for (size_t at = 0; at < raw.len && first != SIZE_MAX; n++) {
		struct str line = block_line(raw, &at);

		if (n < first || n > last)
			continue;
		if (n > first)
			strbuf_addc(&out, '\n');
		if (n > 0 && indent != SIZE_MAX)
			line = str_sub(line, indent, line.len);
		strbuf_add(&out, line);
	}
	result = arena_str(arena, strbuf_str(&out));
	strbuf_release(&out);
	return result;
}

static struct gql_token
lex_block(struct gql_lexer *lexer)
{
	size_t start = lexer->at, at = start + 3;
	struct strbuf raw = {0};
	struct gql_token token;

	for (;;) {
		struct str rest = str_sub(lexer->text, at, lexer->text.len);

		if (rest.len == 0) {
			token = bad(lexer, at, "Unterminated string.");
			break;
		}
		if (str_starts(rest, STR("\"\"\""))) {
			lexer->at = at + 3;
			token = (struct gql_token){ TOKEN_STRING, block_value(
			    lexer->arena, strbuf_str(&raw)), start };
			break;
		}
		if (str_starts(rest, STR("\\\"\"\""))) {
			strbuf_adds(&raw, "\"\"\"");
			at += 4;
		} else {
			strbuf_addc(&raw, rest.data[0]);
			at++;
		}
	}
	strbuf_release(&raw);
	return token;
}

struct gql_token
gql_lex(struct gql_lexer *lexer)
{
	size_t start;
	char c;

	skip_ignored(lexer);
	start = lexer->at;
	c = peek(lexer, start);
	if (start >= lexer->text.len)
		return (struct gql_token){ TOKEN_END, STR("<EOF>"), start };
	if (is_name_start(c)) {
		while (is_name_start(peek(lexer, lexer->at)) ||
		    is_digit(peek(lexer, lexer->at)))
			lexer->at++;
		return (struct gql_token){ TOKEN_NAME,
		    str_sub(lexer->text, start, lexer->at - start), start };
	}
	if (is_digit(c) || c == '-')
		return lex_number(lexer);
	if (c == '"')
		return str_starts(str_sub(lexer->text, start, 3),
		    STR("\"\"\"")) ? lex_block(lexer) : lex_string(lexer);
	if (c == '.' && str_starts(str_sub(lexer->text, start, 3), STR("...")))
		lexer->at += 3;
	else if (c != '\0' && strchr("!$&():=@[]{|}", c) != NULL)
		lexer->at++;
	else
		return bad(lexer, start, "Unexpected character.");
	return (struct gql_token){ TOKEN_PUNCTUATION,
	    str_sub(lexer->text, start, lexer->at - start), start };
}
