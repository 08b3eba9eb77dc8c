/* secret.c - see secret.h; the redactor is in redact.c */
#include "base/secret.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

struct secret
secret_new(struct str value)
{
	if (value.data == NULL)
		return (struct secret){0};
	char *bytes = heap_array(NULL, value.len + 1, 1);
	memcpy(bytes, value.data, value.len);
	bytes[value.len] = '\0';
	return (struct secret){ bytes, value.len };
}

void
secret_release(struct secret *secret)
{
	if (secret->bytes_ != NULL)
		explicit_bzero(secret->bytes_, secret->len_);
	free(secret->bytes_);
	*secret = (struct secret){0};
}

bool
secret_is_set(const struct secret *secret)
{
	return secret->bytes_ != NULL;
}

struct str
secret_reveal(const struct secret *secret)
{
	return (struct str){ secret->bytes_, secret->len_ };
}
