/*
 * secret.h - bytes that must not be printed.
 *
 * A struct secret is accepted by no format macro and no writer, so it cannot
 * reach a log, a diagnostic, an argument list, the plan or the lock file by
 * accident; secret_reveal() is the one way out and easy to find.  Wiped on
 * release.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include "base/str.h"

struct secret {
	char *bytes_;
	size_t len_;
};

struct secret secret_new(struct str value);	/* copies; owned */
void secret_release(struct secret *secret);	/* wipes */
bool secret_is_set(const struct secret *secret);
struct str secret_reveal(const struct secret *secret);	/* borrows */

/*
 * Known secret values, for redaction of text from outside.  Each is found
 * plain, JSON-escaped, percent-encoded and in base64.
 */
struct strbuf;
struct redactor;
struct redactor *redactor_new(void);
/* One more owner: it is freed when all of them have.  NULL stays NULL. */
struct redactor *redactor_share(struct redactor *redactor);
void redactor_free(struct redactor *redactor);
/* Values shorter than 6 bytes are ignored: they would redact everything.
 * White space around a value is not part of it, and the long lines of a value
 * of several lines count alone, too. */
void redactor_add(struct redactor *redactor, struct str value);
/* Append text with every known secret replaced by "(secret)", and whatever is
 * a token of GitHub, a JWT or a private key by its form (these alone where
 * redactor is NULL).  Secrets that
 * overlap are replaced together.  A secret cut by the end of text is not
 * found: give whole messages. */
void redact(const struct redactor *redactor, struct strbuf *out,
    struct str text);
/*
 * The same for text that goes on: redacts as much of its front as no secret
 * can lie across, and returns how long that was (0: give more).  The rest,
 * at most twice redactor_hold() bytes, is to be given again with what follows
 * it; the last piece to redact().  A row of overlapping secrets becomes as
 * many "(secret)" as it takes pieces.
 */
size_t redact_part(const struct redactor *redactor, struct strbuf *out,
    struct str text);
/* Where to begin in text that has lost its beginning: behind what may be the
 * rest of a secret, and not inside of another one. */
size_t redact_skip(const struct redactor *redactor, struct str text);
/* Bytes that the longest of the secrets takes in any of its spellings. */
size_t redactor_hold(const struct redactor *redactor);

#endif
