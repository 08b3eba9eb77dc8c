/*
 * ask_github.h - inside pkg/run: questions to GitHub before a plan, and what
 * a user is told when one is refused.
 */
#ifndef RUN_ASK_GITHUB_H
#define RUN_ASK_GITHUB_H

#include "run/pages.h"
#include "run/questions.h"

struct ask_github {
	struct question question;
	struct github_request request;	/* the caller's; {0} the rest */
	struct github_answer answer;
	struct runner_pages pages;
};

/* Ask them side by side, with retries; all of them have an answer then. */
void ask_github_all(struct session *session, struct ask_github *asks,
    size_t n);

/*
 * Report an answer that is not OUTCOME_OK, where the spec names its scope.
 * Returns what to leave with: EXIT_OK where it need not stop anything, since
 * GitHub is optional or nothing of ours is known there and all is ended.
 */
int ask_github_refused(struct session *session, const struct ask_github *ask);

#endif
