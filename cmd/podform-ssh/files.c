/*
 * files.c - files on the pod.
 */
#include "cmd/podform-ssh/files.h"

void
files_message(struct worker *worker, struct wire *message)
{
	talk_text(worker, WIRE_FAILED, message->channel, WIRE_FAIL_LOCAL,
	    "this version of podform-ssh cannot copy files");
}

void
files_turn(struct worker *worker)
{
	(void)worker;
}
