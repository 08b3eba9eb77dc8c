/*
 * hold_home.h - notice that a holder's project is gone.
 *
 * A holder lives as long as there are tunnels.  Where somebody has removed
 * the project, or only its .podform, nobody can reach it any more: it would
 * keep its ports and logins for ever.
 */
#ifndef PODFORM_HOLD_HOME_H
#define PODFORM_HOLD_HOME_H

#include <stdbool.h>

/* A descriptor that is readable when something became of the holder's lock
 * file; -1 when the system gives none. */
int hold_home_watch(void);
/* Take what came to watch: has the file behind lock lost its name? */
bool hold_home_gone(int watch, int lock);

#endif
