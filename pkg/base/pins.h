/*
 * pins.h - host keys that a container's log vouches for.
 *
 * The start script of an image prints the fingerprints of the host keys that
 * it has made, as ssh-keygen -l writes them:
 *
 *	256 SHA256:Vn7vqOlZeVxjHOD3DX8PBLmm1kgM0mCKbUh5tIJmSdM root@x (ED25519)
 *
 * The log comes from the service over TLS, so somebody between us and the
 * pod cannot forge it.  Whoever is in the container can, and has nothing to
 * win by that: it is the host.
 */
#ifndef BASE_PINS_H
#define BASE_PINS_H

#include "base/cloud.h"

enum { PINS_MAX = 16 };

/* A log that says this has said what it is read for. */
#define PINS_ENOUGH STR("(ED25519)")

/*
 * The fingerprints ("SHA256:...") of ED25519 and ECDSA keys in the lines of
 * the container, each once, in the arena: how many.  Those printed before
 * `start` (RFC 3339; absent: none is) belong to an earlier container.
 */
size_t pins_of_log(struct arena *arena, const struct log_line *lines,
    size_t nlines, struct str start, struct str **pins);

/* "SHA256:" and 43 characters of base64. */
bool pins_is_fingerprint(struct str text);

#endif
