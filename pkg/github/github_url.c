/* github_url.c - see github_url.h */
#include "github/github_url.h"

static const struct str rest_path = STR_INIT("/api/v3");

struct parts {
	struct str scheme;	/* "https" */
	struct str host;	/* with the port */
	struct str path;	/* without slashes at its end */
};

static bool
take_apart(struct str url, struct parts *out)
{
	ptrdiff_t at = str_search(url, STR("://"));

	while (url.len > 0 && url.data[url.len - 1] == '/')
		url.len--;
	if (at <= 0 || (size_t)at + 3 >= url.len)
		return false;
	out->scheme = str_sub(url, 0, (size_t)at);
	struct str rest = str_sub(url, (size_t)at + 3, url.len);
	ptrdiff_t slash = str_find(rest, '/');
	size_t end = slash < 0 ? rest.len : (size_t)slash;
	out->host = str_sub(rest, 0, end);
	out->path = str_sub(rest, end, rest.len);
	return out->host.len > 0;
}

/* The hosts that GitHub runs itself have their API on a host of its own. */
static bool
is_hosted(struct str host)
{
	struct str port;
	struct str name = str_cut(host, ':', &port);
	static const char *const tails[] = {
		".ghe.com", ".ghe.localhost", ".github.com",
		".github.localhost",
	};
	if (str_eq_fold(name, STR("github.com")) ||
	    str_eq_fold(name, STR("github.localhost")))
		return true;
	for (size_t i = 0; i < COUNTOF(tails); i++) {
		struct str tail = str_from(tails[i]);
		if (name.len > tail.len && str_eq_fold(str_sub(name,
			name.len - tail.len, tail.len), tail))
			return true;
	}
	return false;
}

static struct str
without(struct str host, struct str prefix)
{
	return host.len > prefix.len && str_eq_fold(str_sub(host, 0,
	    prefix.len), prefix) ? str_sub(host, prefix.len, host.len) : host;
}

/* Both addresses out of either. */
static void
derive(struct arena *arena, const struct parts *parts,
    struct github_urls *out)
{
	struct str host = parts->host;

	if (is_hosted(host)) {
		host = without(without(host, STR("api.")), STR("www."));
		out->web = arena_printf(arena, STR_FMT "://" STR_FMT,
		    STR_ARG(parts->scheme), STR_ARG(host));
		out->api = arena_printf(arena, STR_FMT "://api." STR_FMT,
		    STR_ARG(parts->scheme), STR_ARG(host));
		return;
	}
	out->web = arena_printf(arena, STR_FMT "://" STR_FMT,
	    STR_ARG(parts->scheme), STR_ARG(host));
	out->api = arena_printf(arena, STR_FMT STR_FMT, STR_ARG(out->web),
	    STR_ARG(rest_path));
}

bool
github_url_find(struct arena *arena, struct str api, struct str web,
    struct github_urls *out)
{
	struct github_urls other;
	struct parts parts;

	if (api.len == 0 && web.len == 0)
		web = STR("https://github.com");
	if (web.len > 0) {
		if (!take_apart(web, &parts))
			return false;
		derive(arena, &parts, out);
	}
	if (api.len == 0)
		return true;
	if (!take_apart(api, &parts))
		return false;
	derive(arena, &parts, &other);
	if (web.len == 0)
		out->web = other.web;
	/* As written, but where it is the address for people. */
	out->api = parts.path.len == 0 && is_hosted(parts.host) ? other.api :
	    arena_printf(arena, STR_FMT "://" STR_FMT STR_FMT,
	    STR_ARG(parts.scheme), STR_ARG(parts.host), STR_ARG(parts.path));
	return true;
}
