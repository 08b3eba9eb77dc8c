/*
 * github_cache.h - answers to reads, for conditional requests; private to
 * pkg/github.
 *
 * An entry is only ever used after the service has said that it is still
 * right (304): what it said about being fresh for a minute is ignored, since
 * a `busy` of a minute ago kills jobs.  Bounded by number and bytes; the
 * oldest goes first.
 */
#ifndef GITHUB_GITHUB_CACHE_H
#define GITHUB_GITHUB_CACHE_H

#include "base/seams.h"

struct github_cache;
struct github_cache *github_cache_new(void);
void github_cache_free(struct github_cache *cache);

/* What to send as If-None-Match for that path, or absent. */
struct str github_cache_etag(const struct github_cache *cache,
    struct str path);
/* Remember a 200 that has an entity tag. */
void github_cache_keep(struct github_cache *cache, struct str path,
    const struct http_answer *answer);
/* A 304 came: make it the answer that was kept, copied into the arena;
 * false if it is not there. */
bool github_cache_use(const struct github_cache *cache, struct str path,
    struct arena *arena, struct http_answer *answer);

#endif
