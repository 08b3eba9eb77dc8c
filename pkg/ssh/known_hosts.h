/*
 * known_hosts.h - host keys that the worker saw, for the user's own ssh.
 *
 * The text of a file in OpenSSH's format, one key per line under the alias of
 * a container (ssh -o HostKeyAlias).  It is a cache beside the pins: whoever
 * takes a key from it compares its fingerprint with the pin first.  Pure
 * text; who reads and writes the file is cmd.
 */
#ifndef SSH_KNOWN_HOSTS_H
#define SSH_KNOWN_HOSTS_H

#include "base/arena.h"
#include "base/str.h"
#include "base/strbuf.h"

enum { KNOWN_HOSTS_MAX = 1 << 20 };	/* bytes of a file */

/*
 * Append the lines of old, but those of alias and those whose alias `keep`
 * (may be NULL) does not want, and then the key: a blob of RFC 4253.  Lines
 * of old that are none of ours are left out.  False when blob is no key of
 * a kind that we accept, or alias is no name; then nothing is appended.
 */
bool known_hosts_put(struct strbuf *out, struct str old, struct str alias,
    struct str blob, bool (*keep)(void *ctx, struct str alias), void *ctx);

/*
 * Read what ssh-keyscan prints, "host kind base64" on each line: of the keys
 * whose fingerprint is one of the pins (without pins: of all) the first of
 * the strongest kind, which is the one that the worker will be shown.  False: there is none such; *seen then has the fingerprint
 * of one that is there (absent: there is no usable key).
 */
bool known_hosts_choose(struct arena *arena, struct str scan,
    const struct str *pins, size_t npins, struct str *blob,
    struct str *seen);

/* The fingerprint ("SHA256:...", in the arena) of the key of alias. */
bool known_hosts_find(struct arena *arena, struct str text, struct str alias,
    struct str *fingerprint);

#endif
