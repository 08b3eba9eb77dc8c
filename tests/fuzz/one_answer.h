/*
 * one_answer.h - an HTTP answer of chance, for the decoders of RunPod and
 * GitHub.
 */
#ifndef TESTS_FUZZ_ONE_ANSWER_H
#define TESTS_FUZZ_ONE_ANSWER_H

#include "base/seams.h"
#include "tests/fuzz/fuzz.h"

/*
 * Two bytes are its status (mostly success, else one of n statuses) and what
 * came of the transport.  True: headers are to be read before the body, which
 * is all that is left.
 */
static inline bool
fuzz_answer(struct fuzz *in, int success, const int *statuses, size_t n,
    struct http_answer *http)
{
	uint8_t status = fuzz_byte(in), outcome = fuzz_byte(in);

	*http = (struct http_answer){ .outcome = HTTP_ANSWERED };
	http->status = status < 128 ? success : statuses[status % n];
	if (outcome < 16)
		http->outcome = (enum http_outcome)(outcome % 4);
	if (outcome < 128)
		return false;
	http->retry_after = fuzz_part(in);
	http->date = fuzz_part(in);
	return true;
}

#endif
