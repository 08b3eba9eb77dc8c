/*
 * fuzz_keys.c - what a pod, a worker or an agent gives us as a key: public
 * keys, what is to be signed, and logs with fingerprints.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pins.h"
#include "ssh/blob.h"
#include "ssh/keys_parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = {0};
	struct str text = { (const char *)data, size }, *pins;
	struct str half = str_sub(text, 0, size / 2);
	struct str rest = str_sub(text, size / 2, size);
	struct log_line line = { .text = text };
	size_t n;

	assert(blob_key_type(text).len <= size);
	assert(pins_is_fingerprint(blob_fingerprint(&arena, text)));
	/* Bytes of chance are no login of any user with any key. */
	if (keys_is_login(half, STR("root"), rest))
		assert(half.len > rest.len);
	n = pins_of_log(&arena, &line, 1, (struct str){0}, &pins);
	assert(n <= PINS_MAX);
	for (size_t i = 0; i < n; i++)
		assert(pins_is_fingerprint(pins[i]));
	arena_release(&arena);
	return 0;
}
