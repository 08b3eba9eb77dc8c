/*
 * pod_input.h - our standard input on its way to a command on a pod.
 *
 * Read only as fast as the pod takes it: never more than one block waits.
 */
#ifndef CMD_POD_INPUT_H
#define CMD_POD_INPUT_H

#include "app.h"
#include "ssh/ssh.h"

struct pod_input;

/* Begin to feed the command `number`; there can be one.  Released by
 * pod_input_free(), which must come after the last turn of the loop. */
struct pod_input *pod_input_new(struct app *app, struct ssh *ssh,
    uint64_t number);
/* The command takes more (ssh_exec_calls.writable). */
void pod_input_more(struct pod_input *input);
/* The command is over: read no more. */
void pod_input_stop(struct pod_input *input);
void pod_input_free(struct pod_input *input);	/* NULL is harmless */

#endif
