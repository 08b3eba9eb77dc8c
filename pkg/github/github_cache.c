/* github_cache.c - see github_cache.h */
#include "github/github_cache.h"

#include <stdlib.h>

#include "base/strbuf.h"

enum { ENTRIES = 32, ETAG_MAX = 256 };
#define ENTRY_BYTES ((size_t)1 << 20)
#define ALL_BYTES ((size_t)8 << 20)

struct entry {
	struct strbuf path, etag, body, link;
};

struct github_cache {
	struct entry entries[ENTRIES];	/* oldest first */
	size_t n, bytes;
};

struct github_cache *
github_cache_new(void)
{
	struct github_cache *cache = heap_array(NULL, 1, sizeof *cache);
	*cache = (struct github_cache){0};
	return cache;
}

static void
forget(struct github_cache *cache, size_t i)
{
	struct entry *entry = &cache->entries[i];

	cache->bytes -= entry->body.len;
	strbuf_release(&entry->path);
	strbuf_release(&entry->etag);
	strbuf_release(&entry->body);
	strbuf_release(&entry->link);
	for (; i + 1 < cache->n; i++)
		cache->entries[i] = cache->entries[i + 1];
	cache->entries[--cache->n] = (struct entry){0};
}

void
github_cache_free(struct github_cache *cache)
{
	if (cache == NULL)
		return;
	while (cache->n > 0)
		forget(cache, cache->n - 1);
	free(cache);
}

/* Its place, or n. */
static size_t
find(const struct github_cache *cache, struct str path)
{
	size_t i = 0;
	while (i < cache->n &&
	    !str_eq(strbuf_str(&cache->entries[i].path), path))
		i++;
	return i;
}

struct str
github_cache_etag(const struct github_cache *cache, struct str path)
{
	size_t i = find(cache, path);
	return i < cache->n ? strbuf_str(&cache->entries[i].etag) :
	    (struct str){0};
}

/* What may stand in a header. */
static bool
is_etag(struct str etag)
{
	if (etag.len < 2 || etag.len > ETAG_MAX)
		return false;
	for (size_t i = 0; i < etag.len; i++)
		if (etag.data[i] < ' ' || etag.data[i] > '~')
			return false;
	return etag.data[etag.len - 1] == '"';
}

void
github_cache_keep(struct github_cache *cache, struct str path,
    const struct http_answer *answer)
{
	size_t i = find(cache, path);

	if (i < cache->n)
		forget(cache, i);
	/* Packages come with tokens that die soon. */
	if (!is_etag(answer->etag) || answer->body.len > ENTRY_BYTES ||
	    str_ends(path, STR("/downloads")))
		return;
	while (cache->n == ENTRIES ||
	    cache->bytes + answer->body.len > ALL_BYTES)
		forget(cache, 0);
	struct entry *entry = &cache->entries[cache->n++];
	strbuf_add(&entry->path, path);
	strbuf_add(&entry->etag, answer->etag);
	strbuf_add(&entry->body, answer->body);
	strbuf_add(&entry->link, answer->link);
	cache->bytes += answer->body.len;
}

bool
github_cache_use(const struct github_cache *cache, struct str path,
    struct arena *arena, struct http_answer *answer)
{
	size_t i = find(cache, path);

	if (i == cache->n)
		return false;
	const struct entry *entry = &cache->entries[i];
	answer->status = 200;
	answer->body = arena_str(arena, strbuf_str(&entry->body));
	answer->link = entry->link.len == 0 ? (struct str){0} :
	    arena_str(arena, strbuf_str(&entry->link));
	return true;
}
