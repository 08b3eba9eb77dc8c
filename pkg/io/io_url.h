/*
 * io_url.h - which addresses we talk to, and through which proxy.
 *
 * Pure: texts in, texts out.  https only; plain http is for loopback hosts,
 * where tests and podform-sim live.
 */
#ifndef IO_URL_H
#define IO_URL_H

#include "base/arena.h"

struct io_url_cloud {
	struct str rest;	/* https://api.runpod.io/v2 */
	struct str graphql;	/* https://api.runpod.io/graphql */
};

/*
 * From the value of RUNPOD_API_URL (absent or empty: the default) to the two
 * bases.  A value that ends in /graphql or /v2 is understood as that base;
 * trailing slashes do not matter.  False, with a sentence in *why, when the
 * value is no URL that we use.
 */
bool io_url_cloud(struct arena *arena, struct str value,
    struct io_url_cloud *out, struct str *why);

/* The same for GITHUB_API_URL, which is one base. */
bool io_url_github(struct arena *arena, struct str value, struct str *out,
    struct str *why);

/*
 * Do both begin with the same scheme, host and port?  Then one may be sent
 * the credential of the other.  Not where a user, or a byte that no URL has,
 * is in them.
 */
bool io_url_same_origin(struct str a, struct str b);

/*
 * Where a download may go on: the target of a Location header, seen from the
 * address that sent it; absolute, "//host/path" or "/path".  https alone, but
 * plain http where the first address was plain and both are loopback.  False
 * for all else.
 */
bool io_url_redirect(struct arena *arena, struct str first, struct str from,
    struct str location, struct str *to);

/* May a download begin there: https, or plain http to a loopback host? */
bool io_url_may_fetch(struct str url);

/* The host of a URL, without brackets, port and user; absent if none. */
struct str io_url_host(struct str url);

/* localhost, 127.0.0.0/8 and ::1, as written. */
bool io_url_is_loopback(struct str host);

/*
 * The proxy for a host, or absent for none: proxy is the value of
 * HTTPS_PROXY, except the value of NO_PROXY: names divided by commas, each
 * standing for itself and all below it, "*" for everything.  Loopback hosts
 * are never proxied.
 */
struct str io_url_proxy(struct str proxy, struct str except, struct str host);

/* The URL without a user and password, for people. */
struct str io_url_shown(struct arena *arena, struct str url);

#endif
