/* redact_form.c - see redact_form.h */
#include "base/redact_form.h"

#include "base/arena.h"

enum {
	TOKEN_LEAST = 16,	/* after its prefix; real ones have 36 and more */
	PART_LEAST = 8,		/* of a JWT, each of the three */
};

static bool
is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '_';
}

/* Letters of base64url and of words. */
static size_t
run_of(struct str text, size_t at, const char *more)
{
	size_t n = 0;
	while (at + n < text.len && (is_word(text.data[at + n]) ||
	    str_find(str_from(more), text.data[at + n]) >= 0))
		n++;
	return n;
}

/* ghs_ may be followed by a JWT, with dots and dashes. */
static size_t
github_token(struct str text, size_t at)
{
	static const char *const prefixes[] = {
		"github_pat_", "ghp_", "gho_", "ghu_", "ghs_", "ghr_",
	};
	struct str rest = str_sub(text, at, text.len);

	for (size_t i = 0; i < COUNTOF(prefixes); i++) {
		struct str prefix = str_from(prefixes[i]);
		if (!str_starts(rest, prefix))
			continue;
		size_t n = run_of(rest, prefix.len, ".-");
		/* The full stop of a sentence is none of it. */
		while (n > 0 && (rest.data[prefix.len + n - 1] == '.' ||
		    rest.data[prefix.len + n - 1] == '-'))
			n--;
		return n >= TOKEN_LEAST ? prefix.len + n : 0;
	}
	return 0;
}

/* Three parts of base64url, the first of which begins with {" in it. */
static size_t
signed_token(struct str text, size_t at)
{
	size_t n = 0;

	if (!str_starts(str_sub(text, at, 3), STR("eyJ")))
		return 0;
	for (int part = 0; part < 3; part++) {
		size_t len = run_of(text, at + n, "-");
		if (len < PART_LEAST)
			return 0;
		n += len;
		if (part < 2) {
			if (at + n >= text.len || text.data[at + n] != '.')
				return 0;
			n++;
		}
	}
	return n;
}

/* From its first line to its last, or to the end where that is missing. */
static size_t
private_key(struct str text, size_t at)
{
	struct str rest = str_sub(text, at, text.len);

	if (!str_starts(rest, STR("-----BEGIN ")))
		return 0;
	ptrdiff_t head = str_search(str_sub(rest, 11, rest.len),
	    STR("-----"));
	if (head < 0 || str_search(str_sub(rest, 11, (size_t)head),
	    STR("PRIVATE KEY")) < 0)
		return 0;
	ptrdiff_t tail = str_search(rest, STR("-----END "));
	if (tail < 0)
		return rest.len;
	size_t from = (size_t)tail + 9;
	ptrdiff_t end = str_search(str_sub(rest, from, rest.len),
	    STR("-----"));
	return end < 0 ? rest.len : from + (size_t)end + 5;
}

size_t
redact_form(struct str text, size_t at)
{
	size_t n = 0;

	switch (text.data[at]) {
	case 'g':
	case 'e':
		/* Not in the middle of a word, but after an escape's. */
		if (at > 0 && is_word(text.data[at - 1]) &&
		    !(at > 1 && text.data[at - 2] == '\\'))
			return 0;
		n = github_token(text, at);
		return n > 0 ? n : signed_token(text, at);
	case '-':
		return private_key(text, at);
	default:
		return 0;
	}
}
