/* github_jwt.h - how a GitHub App says who it is; private to pkg/github. */
#ifndef GITHUB_GITHUB_JWT_H
#define GITHUB_GITHUB_JWT_H

#include "base/arena.h"
#include "crypto/crypto.h"

/*
 * A token of RFC 7519, signed RS256, for the App with that client id or app
 * id: good from a minute ago, against clocks that differ, and for nine
 * minutes of the ten that are allowed.  In the arena; a secret.
 */
bool github_jwt_make(struct arena *arena, const struct crypto_key *key,
    struct str issuer, int64_t wall_ms, struct str *jwt, const char **why);

#endif
