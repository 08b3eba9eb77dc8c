/*
 * forward.c - forwards.
 */
#include "cmd/podform-ssh/forward.h"

void
forward_message(struct worker *worker, struct wire *message)
{
	talk_text(worker, WIRE_FAILED, message->channel, WIRE_FAIL_LOCAL,
	    "this version of podform-ssh cannot forward");
}

bool
forward_cancel(struct worker *worker, uint32_t id)
{
	(void)worker, (void)id;
	return false;
}

void
forward_watch(struct worker *worker)
{
	(void)worker;
}

bool
forward_pump(struct worker *worker)
{
	(void)worker;
	return false;
}

void
forward_turns(struct worker *worker)
{
	(void)worker;
}
