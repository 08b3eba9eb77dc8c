/* github_encode.h - a github_request as HTTP; private to pkg/github. */
#ifndef GITHUB_GITHUB_ENCODE_H
#define GITHUB_GITHUB_ENCODE_H

#include "base/github.h"
#include "base/strbuf.h"

/* Path and body are made in the arena.  A cursor is a whole URL, which the
 * transport uses only when it lies at the service's own base. */
void github_encode(struct arena *arena, const struct github_request *request,
    struct http_request *out);

/* "/repos/acme/model" or "/orgs/acme", percent-encoded. */
void github_encode_scope(struct strbuf *out,
    const struct github_scope *scope);

#endif
