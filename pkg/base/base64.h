/*
 * base64.h - bytes as text, RFC 4648.
 *
 * SSH keys and fingerprints, runner configurations and the tokens of GitHub
 * Apps are written so.
 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/arena.h"
#include "base/str.h"
#include "base/strbuf.h"

enum base64_form {
	BASE64_PADDED,		/* with '=' at the end */
	BASE64_BARE,		/* without: fingerprints of OpenSSH */
	BASE64_URL,		/* '-' and '_', without '=': JWT */
};

void base64_encode(struct strbuf *out, struct str bytes,
    enum base64_form form);

/*
 * Decode the padded form; the result is in the arena.  Strict: no white
 * space, no missing or superfluous '=', no bits left over.
 */
bool base64_decode(struct arena *arena, struct str text, struct str *out);

#endif
