/* io_url.c - see io_url.h */
#include "io/io_url.h"

static const struct str default_cloud = STR_INIT("https://api.runpod.io");
static const struct str default_github = STR_INIT("https://api.github.com");

/* What follows "scheme://", or absent. */
static struct str
after_scheme(struct str url)
{
	ptrdiff_t at = str_search(url, STR("://"));
	if (at < 0)
		return (struct str){0};
	return str_sub(url, (size_t)at + 3, url.len);
}

/* "user:password@host:port" */
static struct str
authority(struct str url)
{
	struct str rest = after_scheme(url);
	size_t n = 0;
	while (n < rest.len && rest.data[n] != '/' && rest.data[n] != '?' &&
	    rest.data[n] != '#')
		n++;
	return str_sub(rest, 0, n);
}

struct str
io_url_host(struct str url)
{
	struct str host = authority(url);
	ptrdiff_t user = str_rfind(host, '@');
	if (user >= 0)
		host = str_sub(host, (size_t)user + 1, host.len);
	if (host.len > 0 && host.data[0] == '[') {
		ptrdiff_t end = str_find(host, ']');
		struct str port = str_sub(host, (size_t)end + 1, host.len);
		/* Behind it is a port or nothing: [::1].example is no place
		 * that anybody should take for this machine. */
		if (end <= 1 || (port.len > 0 && port.data[0] != ':'))
			return (struct str){0};
		return str_sub(host, 1, (size_t)end - 1);
	}
	ptrdiff_t port = str_find(host, ':');
	if (port >= 0)
		host = str_sub(host, 0, (size_t)port);
	return host.len > 0 ? host : (struct str){0};
}

bool
io_url_is_loopback(struct str host)
{
	if (str_eq_fold(host, STR("localhost")) || str_is(host, "::1"))
		return true;
	/* A name that begins with 127. but is none of these is a name. */
	if (!str_starts(host, STR("127.")))
		return false;
	int dots = 0;
	for (size_t i = 0; i < host.len; i++) {
		if (host.data[i] == '.')
			dots++;
		else if (host.data[i] < '0' || host.data[i] > '9')
			return false;
	}
	return dots == 3 && host.data[host.len - 1] != '.';
}

/* The port as written, or the scheme's. */
static struct str
port_of(struct str url)
{
	struct str place = authority(url);
	ptrdiff_t colon = str_rfind(place, ':'), bracket = str_rfind(place,
	    ']');
	if (colon > bracket && (size_t)colon + 1 < place.len)
		return str_sub(place, (size_t)colon + 1, place.len);
	return str_starts(url, STR("http:")) ? STR("80") : STR("443");
}

static bool
odd_bytes(struct str url)
{
	for (size_t i = 0; i < url.len; i++) {
		unsigned char c = (unsigned char)url.data[i];
		if (c <= ' ' || c >= 0x7f || c == '"' || c == '<' ||
		    c == '>' || c == '\\')
			return true;
	}
	return false;
}

bool
io_url_same_origin(struct str a, struct str b)
{
	bool plain = str_starts(a, STR("http://"));

	if (odd_bytes(a) || odd_bytes(b) ||
	    (!plain && !str_starts(a, STR("https://"))) ||
	    !str_starts(b, plain ? STR("http://") : STR("https://")) ||
	    str_find(authority(a), '@') >= 0 ||
	    str_find(authority(b), '@') >= 0)
		return false;
	struct str host = io_url_host(a);
	return host.data != NULL && str_eq_fold(host, io_url_host(b)) &&
	    str_eq(port_of(a), port_of(b));
}

bool
io_url_may_fetch(struct str url)
{
	struct str host = io_url_host(url);

	return host.data != NULL && !odd_bytes(url) &&
	    str_find(authority(url), '@') < 0 &&
	    (str_starts(url, STR("https://")) ||
		(str_starts(url, STR("http://")) &&
		    io_url_is_loopback(host)));
}

bool
io_url_redirect(struct arena *arena, struct str first, struct str from,
    struct str location, struct str *to)
{
	struct str place = authority(from);

	if (place.len == 0)
		return false;
	struct str origin = str_sub(from, 0,
	    (size_t)(place.data - from.data) + place.len);
	if (str_starts(location, STR("//")))
		*to = arena_printf(arena, STR_FMT ":" STR_FMT,
		    STR_ARG(str_sub(from, 0, (size_t)str_find(from, ':'))),
		    STR_ARG(location));
	else if (str_starts(location, STR("/")))
		*to = arena_printf(arena, STR_FMT STR_FMT, STR_ARG(origin),
		    STR_ARG(location));
	else
		*to = arena_str(arena, location);
	return io_url_may_fetch(*to) && (str_starts(*to, STR("https://")) ||
	    str_starts(first, STR("http://")));
}

/* A base that may be used, without trailing slashes. */
static bool
check_base(struct str value, struct str *base, struct str *why)
{
	while (value.len > 0 && value.data[value.len - 1] == '/')
		value.len--;
	struct str host = io_url_host(value);
	if (host.data == NULL || odd_bytes(value)) {
		*why = STR("not a URL such as https://api.example.com");
		return false;
	}
	if (str_find(value, '?') >= 0 || str_find(value, '#') >= 0) {
		*why = STR("a base URL has no query and no fragment");
		return false;
	}
	if (str_find(authority(value), '@') >= 0) {
		*why = STR("a URL is no place for a password");
		return false;
	}
	if (str_starts(value, STR("http://")) && !io_url_is_loopback(host)) {
		*why = STR("plain http is for loopback hosts only; "
			   "use https");
		return false;
	}
	if (!str_starts(value, STR("https://")) &&
	    !str_starts(value, STR("http://"))) {
		*why = STR("only https is spoken");
		return false;
	}
	*base = value;
	return true;
}

bool
io_url_cloud(struct arena *arena, struct str value, struct io_url_cloud *out,
    struct str *why)
{
	struct str base;
	if (value.len == 0)
		value = default_cloud;
	if (!check_base(value, &base, why))
		return false;
	if (str_ends(base, STR("/v2")))
		base.len -= 3;
	else if (str_ends(base, STR("/graphql")))
		base.len -= 8;
	while (base.len > 0 && base.data[base.len - 1] == '/')
		base.len--;
	out->rest = arena_printf(arena, STR_FMT "/v2", STR_ARG(base));
	out->graphql = arena_printf(arena, STR_FMT "/graphql", STR_ARG(base));
	return true;
}

bool
io_url_github(struct arena *arena, struct str value, struct str *out,
    struct str *why)
{
	if (value.len == 0)
		value = default_github;
	if (!check_base(value, &value, why))
		return false;
	*out = arena_str(arena, value);
	return true;
}

/* Is host what the entry names, or below it? */
static bool
entry_covers(struct str entry, struct str host)
{
	if (str_is(entry, "*"))
		return true;
	if (entry.len > 0 && entry.data[0] == '.')
		entry = str_sub(entry, 1, entry.len);
	/* An entry may carry a port; ours is always the scheme's. */
	ptrdiff_t port = str_rfind(entry, ':');
	if (port >= 0 && str_find(entry, ':') == port)
		entry = str_sub(entry, 0, (size_t)port);
	if (entry.len == 0 || entry.len > host.len)
		return false;
	size_t from = host.len - entry.len;
	return str_eq_fold(str_sub(host, from, entry.len), entry) &&
	    (from == 0 || host.data[from - 1] == '.');
}

struct str
io_url_proxy(struct str proxy, struct str except, struct str host)
{
	if (proxy.len == 0 || io_url_is_loopback(host))
		return (struct str){0};
	while (except.len > 0) {
		struct str entry = str_trim(str_cut(except, ',', &except));
		if (entry_covers(entry, host))
			return (struct str){0};
	}
	return proxy;
}

struct str
io_url_shown(struct arena *arena, struct str url)
{
	struct str host = authority(url);
	ptrdiff_t user = str_rfind(host, '@');
	if (user < 0)
		return arena_str(arena, url);
	size_t begin = (size_t)(host.data - url.data);
	return arena_printf(arena, STR_FMT "(secret)" STR_FMT,
	    STR_ARG(str_sub(url, 0, begin)),
	    STR_ARG(str_sub(url, begin + (size_t)user, url.len)));
}
