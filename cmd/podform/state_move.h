/*
 * state_move.h - podform state pull, push and migrate: the record as a whole.
 *
 * For what Terraform's users do with `state pull` and `state push`: look at
 * it, put one back that a store did not take, take it to another store.  No
 * machine is touched.  Exit codes as everywhere.
 */
#ifndef CMD_STATE_MOVE_H
#define CMD_STATE_MOVE_H

#include "app.h"

int state_pull(struct app *app);
int state_push(struct app *app);
int state_migrate(struct app *app);

#endif
