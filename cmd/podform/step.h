/*
 * step.h - podform as a step of GitHub Actions: --github, or GITHUB_ACTIONS
 * being true.  Otherwise these do nothing.
 */
#ifndef CMD_STEP_H
#define CMD_STEP_H

#include "planning.h"

/*
 * Append the plan to GITHUB_STEP_SUMMARY.  One byte too many and GitHub
 * drops all of it, so what the step wrote before counts; where too little
 * room is left, that is said and nothing is written.
 */
void step_summary(const struct planning *planning);

/* The diagnostics as annotations, on standard error. */
void step_annotate(struct app *app);

#endif
