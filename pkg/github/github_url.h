/*
 * github_url.h - which GitHub: its address for people and that of its API.
 *
 *	web				API
 *	https://github.com		https://api.github.com
 *	https://SUB.ghe.com		https://api.SUB.ghe.com
 *	https://HOST			https://HOST/api/v3
 *
 * Pure.  Whether an address may be spoken to at all is the transport's to
 * say.
 */
#ifndef GITHUB_GITHUB_URL_H
#define GITHUB_GITHUB_URL_H

#include "base/arena.h"

struct github_urls {
	struct str web;		/* what a runner registers at is below it */
	struct str api;
};

/*
 * From the values of GITHUB_API_URL and GITHUB_SERVER_URL, either of which
 * may be absent or empty.  An API address is taken as it is, whatever the
 * table says; either may also be written where the other is expected.  False
 * when one is no URL.
 */
bool github_url_find(struct arena *arena, struct str api, struct str web,
    struct github_urls *out);

#endif
