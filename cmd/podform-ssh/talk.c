/*
 * talk.c - what is said to podform, which may be slow to listen.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/podform-ssh/worker.h"

/* More than this many bytes unheard, and podform is not listening at all. */
enum { LETTERS_MAX = 4 << 20 };

struct letter {
	struct letter *next;
	struct wire message;
	char payload[];
};

static void
keep(struct worker *worker, const struct wire *message)
{
	struct letter *letter = worker_alloc(sizeof *letter + message->size);

	letter->message = *message;
	if (message->size > 0)
		memcpy(letter->payload, message->payload, message->size);
	letter->message.payload = letter->payload;
	if (worker->letters == NULL)
		worker->letters_end = &worker->letters;
	*worker->letters_end = letter;
	worker->letters_end = &letter->next;
	worker->letters_size += sizeof *letter + message->size;
	if (worker->letters_size > LETTERS_MAX)
		worker_nonsense();
}

void
talk_say(struct worker *worker, const struct wire *message)
{
	int result = -EAGAIN;

	login_check_host(worker);
	if (talk_clear(worker))
		result = wire_send(worker->wire, message);
	if (result == -EAGAIN || result == -ENOBUFS)
		keep(worker, message);
	else if (result != 0)
		worker_nonsense();	/* nobody is there any more */
}

void
talk_text(struct worker *worker, enum wire_type type, uint32_t channel,
    int64_t a, const char *text)
{
	talk_say(worker, &(struct wire){ .type = type, .channel = channel,
	    .a = a, .payload = text, .size = strlen(text), .fd = -1 });
}

bool
talk_clear(const struct worker *worker)
{
	return worker->letters == NULL;
}

void
talk_flush(struct worker *worker)
{
	while (worker->letters != NULL) {
		struct letter *letter = worker->letters;
		int result = wire_send(worker->wire, &letter->message);

		if (result == -EAGAIN || result == -ENOBUFS)
			return;
		if (result != 0)
			worker_nonsense();
		worker->letters_size -= sizeof *letter + letter->message.size;
		worker->letters = letter->next;
		free(letter);
	}
}
