/* store_place.c - where a record lives, from what --lock says */
#include <string.h>

#include "lock/store.h"

#define HTTPS "https://"
#define HTTP "http://"
#define S3 "s3://"
#define ETCD "etcd://"

static bool
wrong(struct str *why, const char *reason)
{
	*why = str_from(reason);
	return false;
}

/* Letters, digits and what stands for itself in a path. */
static bool
is_plain(struct str text, const char *more)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];
		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
		    !(c >= '0' && c <= '9') &&
		    (c == '\0' || strchr(more, c) == NULL))
			return false;
	}
	return text.len > 0;
}

/* No key that a server or a proxy would read as another one. */
static bool
is_key(struct str key)
{
	struct str rest = key;

	if (!is_plain(key, "-_./"))
		return false;
	while (rest.len > 0 || rest.data == key.data) {
		struct str part = str_cut(rest, '/', &rest);
		if (part.len == 0 || str_is(part, ".") || str_is(part, ".."))
			return false;
	}
	return !str_ends(key, STR("/"));
}

static bool
is_loopback(struct str host)
{
	size_t i = str_starts(host, STR("127.")) ? 4 : host.len;

	if (i == host.len)
		return str_is(host, "localhost") || str_is(host, "[::1]");
	while (i < host.len && (host.data[i] == '.' ||
	    (host.data[i] >= '0' && host.data[i] <= '9')))
		i++;
	return i == host.len;
}

/* "https://host:port", or http:// to this machine. */
static bool
check_base(struct str base, struct str *why)
{
	bool secure = str_starts(base, STR(HTTPS));
	struct str host = str_sub(base, secure ? strlen(HTTPS) :
	    strlen(HTTP), base.len), rest;

	if (!secure && !str_starts(base, STR(HTTP)))
		return wrong(why, "it begins with https://");
	if (str_find(host, '@') >= 0)
		return wrong(why, "a user or password in it would be seen by "
		    "everybody on this machine; set PODFORM_STORE_USERNAME "
		    "and PODFORM_STORE_PASSWORD");
	if (!is_plain(host, "-.:[]"))
		return wrong(why, "it has no host");
	if (str_starts(host, STR("[")))
		host = str_sub(host, 0, (size_t)(str_find(host, ']') + 1));
	else
		host = str_cut(host, ':', &rest);
	if (host.len == 0)
		return wrong(why, "it has no host");
	if (!secure && !is_loopback(host))
		return wrong(why, "http:// is for this machine alone; use "
		    "https://");
	return true;
}

static bool
parse_http(struct arena *arena, struct str text, struct store_place *out,
    struct str *why)
{
	size_t scheme = (size_t)str_search(text, STR("://")) + 3;
	struct str rest = str_sub(text, scheme, text.len);
	ptrdiff_t slash = str_find(rest, '/'), mark;

	if (slash < 0 || (size_t)slash + 1 == rest.len)
		return wrong(why, "it names a host and no record there: "
		    "https://host/path");
	out->kind = STORE_HTTP;
	out->base = arena_str(arena, str_sub(text, 0,
	    scheme + (size_t)slash));
	struct str path = str_sub(rest, (size_t)slash, rest.len);
	if (str_find(path, '#') >= 0 || !is_plain(path,
	    "-._~:/?[]@!$&'()*+,;=%"))
		return wrong(why, "there is a character in it that no address "
		    "has");
	mark = str_find(path, '?');
	if (mark >= 0) {
		out->query = arena_str(arena, str_sub(path, (size_t)mark,
		    path.len));
		path = str_sub(path, 0, (size_t)mark);
	}
	out->path = arena_str(arena, path);
	out->gitlab = str_search(path, STR("/api/v4/projects/")) >= 0 &&
	    str_search(path, STR("/terraform/state/")) >= 0;
	return check_base(out->base, why);
}

/* The value of a name in "a=b&c=d", or absent. */
static struct str
option(struct str query, const char *name)
{
	while (query.len > 0) {
		struct str value;
		struct str pair = str_cut(query, '&', &query);
		if (str_is(str_cut(pair, '=', &value), name))
			return value;
	}
	return (struct str){0};
}

static bool
parse_s3(struct arena *arena, struct str text, struct store_place *out,
    struct str *why)
{
	struct str query, key;
	struct str rest = str_cut(str_sub(text, strlen(S3), text.len), '?',
	    &query);
	struct str bucket = str_cut(rest, '/', &key);
	struct str endpoint = option(query, "endpoint");
	struct str region = option(query, "region");

	out->kind = STORE_S3;
	if (!is_plain(bucket, "-.") || !is_key(key))
		return wrong(why, "it is s3://BUCKET/KEY, of letters, digits, "
		    "'-', '_' and '.'");
	if (region.len > 0 && !is_plain(region, "-"))
		return wrong(why, "its region is none");
	out->region = arena_str(arena, region);
	while (str_ends(endpoint, STR("/")))
		endpoint.len--;
	if (endpoint.len > 0) {
		out->base = arena_str(arena, endpoint);
		out->path = arena_printf(arena, "/" STR_FMT "/" STR_FMT,
		    STR_ARG(bucket), STR_ARG(key));
		return check_base(out->base, why);
	}
	/* A bucket with dots has no certificate as a host of its own. */
	bool dots = str_find(bucket, '.') >= 0;
	if (region.len == 0)
		out->region = region = STR("us-east-1");
	out->base = dots ? arena_printf(arena, HTTPS "s3." STR_FMT
	    ".amazonaws.com", STR_ARG(region)) : arena_printf(arena,
	    HTTPS STR_FMT ".s3." STR_FMT ".amazonaws.com", STR_ARG(bucket),
	    STR_ARG(region));
	out->path = dots ? arena_printf(arena, "/" STR_FMT "/" STR_FMT,
	    STR_ARG(bucket), STR_ARG(key)) : arena_printf(arena,
	    "/" STR_FMT, STR_ARG(key));
	return true;
}

static bool
parse_etcd(struct arena *arena, struct str text, struct store_place *out,
    struct str *why)
{
	struct str key;
	struct str host = str_cut(str_sub(text, strlen(ETCD), text.len), '/',
	    &key), rest;
	struct str name = str_starts(host, STR("[")) ?
	    str_sub(host, 0, (size_t)(str_find(host, ']') + 1)) :
	    str_cut(host, ':', &rest);

	out->kind = STORE_ETCD;
	if (!is_key(key))
		return wrong(why, "it is etcd://HOST:PORT/KEY, the key of "
		    "letters, digits, '-', '_', '.' and '/'");
	out->base = arena_printf(arena, "%s" STR_FMT "%s",
	    is_loopback(name) ? HTTP : HTTPS, STR_ARG(host),
	    name.len == host.len ? ":2379" : "");
	out->path = arena_str(arena, key);
	return check_base(out->base, why);
}

bool
store_parse(struct arena *arena, struct str text, struct store_place *out,
    struct str *why)
{
	ptrdiff_t colon = str_search(text, STR(":"));

	*out = (struct store_place){ .shown = arena_str(arena, text) };
	if (str_starts(text, STR(HTTPS)) || str_starts(text, STR(HTTP)))
		return parse_http(arena, text, out, why);
	if (str_starts(text, STR(S3)))
		return parse_s3(arena, text, out, why);
	if (str_starts(text, STR(ETCD)))
		return parse_etcd(arena, text, out, why);
	if (str_starts(text, STR("file:")))
		text = str_sub(text, strlen("file:"), text.len);
	else if (colon > 0 && str_search(text, STR("://")) == colon)
		return wrong(why, "records live in file:, https:, s3: or "
		    "etcd:");
	if (str_starts(text, STR("//")))	/* file:///a/b */
		text = str_sub(text, 2, text.len);
	if (text.len == 0)
		return wrong(why, "it names no file");
	out->kind = STORE_FILE;
	out->file = arena_str(arena, text);
	return true;
}
