/*
 * redact_form.h - secrets that are known by their form alone; for redact.c.
 *
 * Tokens of GitHub say what they are by their first letters, signed tokens
 * (JWT) and private keys by theirs: wherever one appears in text that
 * leaves, it is hidden, also when nobody has told us of it.
 */
#ifndef BASE_REDACT_FORM_H
#define BASE_REDACT_FORM_H

#include "base/str.h"

/* Bytes of the secret that begins at `at`, 0 if none does. */
size_t redact_form(struct str text, size_t at);

#endif
