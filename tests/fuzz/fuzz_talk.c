/*
 * fuzz_talk.c - what the holder of tunnels and its clients read: what is
 * taken for a request or an answer is written so that it is taken again.
 */
#include "tunnel/talk.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
read_request(struct arena *arena, struct str text)
{
	struct talk_request request, again;
	struct strbuf line = {0};
	struct str why = {0};

	if (!talk_read_request(arena, text, &request, &why)) {
		assert(why.len > 0);
		return;
	}
	if (request.protocol == TALK_PROTOCOL && !request.end) {
		talk_write_request(&line, &request);
		bool ok = talk_read_request(arena, strbuf_str(&line), &again,
		    &why);
		assert(ok && again.request.verb == request.request.verb);
	}
	strbuf_release(&line);
}

static void
read_answer(struct arena *arena, struct str text)
{
	struct talk_answer answer, again;
	struct strbuf line = {0};
	struct str why = {0};

	if (!talk_read_answer(arena, text, &answer, &why)) {
		assert(why.len > 0);
		return;
	}
	if (answer.protocol == TALK_PROTOCOL) {
		talk_write_answer(&line, &answer);
		bool ok = talk_read_answer(arena, strbuf_str(&line), &again,
		    &why);
		assert(ok && again.ok == answer.ok);
	}
	strbuf_release(&line);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = {0};
	struct str text = { (const char *)data, size };

	read_request(&arena, text);
	read_answer(&arena, text);
	arena_release(&arena);
	return 0;
}
