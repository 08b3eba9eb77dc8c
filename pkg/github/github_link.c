/* github_link.c - see github_link.h */
#include "github/github_link.h"

#include "base/headers.h"

enum { URL_MAX = 2048 };

/* Cut text at the first byte that stands outside of quotes and brackets. */
static struct str
cut_outside(struct str text, char byte, struct str *rest)
{
	bool quoted = false, bracketed = false;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];
		if (c == '"' && !bracketed)
			quoted = !quoted;
		else if (c == '<' && !quoted)
			bracketed = true;
		else if (c == '>' && !quoted)
			bracketed = false;
		else if (c == byte && !quoted && !bracketed) {
			*rest = str_sub(text, i + 1, text.len);
			return str_sub(text, 0, i);
		}
	}
	*rest = (struct str){0};
	return text;
}

static struct str
unquote(struct str text)
{
	text = str_trim(text);
	if (text.len >= 2 && text.data[0] == '"' &&
	    text.data[text.len - 1] == '"')
		return str_sub(text, 1, text.len - 2);
	return text;
}

/* rel="next", or one of several words: rel="next last". */
static bool
says_next(struct str parameters)
{
	while (parameters.len > 0) {
		struct str value;
		struct str one = cut_outside(parameters, ';', &parameters);
		struct str key = str_trim(str_cut(one, '=', &value));
		if (!str_eq_fold(key, STR("rel")))
			continue;
		value = unquote(value);
		while (value.len > 0)
			if (str_eq_fold(str_cut(value, ' ', &value),
				STR("next")))
				return true;
	}
	return false;
}

static bool
is_url(struct str url)
{
	if (url.len == 0 || url.len > URL_MAX)
		return false;
	for (size_t i = 0; i < url.len; i++) {
		unsigned char c = (unsigned char)url.data[i];
		if (c <= ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '#')
			return false;
	}
	return url.data[0] == '/' || str_search(url, STR("://")) > 0;
}

bool
github_link_next(struct str header, struct str *next)
{
	*next = (struct str){0};
	while (str_trim(header).len > 0) {
		struct str parameters;
		struct str link = str_trim(cut_outside(header, ',', &header));
		struct str target = str_trim(cut_outside(link, ';',
		    &parameters));
		/* A link that cannot be read might have been the next page:
		 * without it a listing would look complete. */
		if (target.len < 2 || target.data[0] != '<' ||
		    target.data[target.len - 1] != '>')
			return false;
		if (!says_next(parameters))
			continue;
		if (next->data != NULL)
			return false;
		*next = str_sub(target, 1, target.len - 2);
		if (!is_url(*next))
			return false;
	}
	return true;
}

int64_t
github_link_page(struct str url)
{
	struct str query;
	int64_t page = 0;

	str_cut(url, '?', &query);
	while (query.len > 0) {
		struct str value;
		struct str one = str_cut(query, '&', &query);
		if (str_is(str_cut(one, '=', &value), "page") &&
		    !headers_digits(value, &page))
			return 0;
	}
	return page;
}
