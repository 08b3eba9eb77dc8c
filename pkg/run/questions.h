/*
 * questions.h - inside pkg/run: several questions over HTTP at once.
 *
 * How a question is sent, what its answer means and whether it is asked
 * again belongs to its kind; here is only the waiting, which is the same
 * for the cloud and for GitHub.
 */
#ifndef RUN_QUESTIONS_H
#define RUN_QUESTIONS_H

#include "run/session.h"

/* One question, until it is answered, given up, or interrupted. */
struct question {
	uint64_t token;			/* 0: none in flight */
	int64_t not_before_ms;
	unsigned tries;
	bool done;
};

/* What an array consists of; each element begins with its question. */
struct question_kind {
	size_t size;
	void (*send)(struct session *session, void *asked);
	/* Set done, or change what is asked (for a next page), which is then
	 * sent at once, or let it be sent again later (question_again). */
	void (*take)(struct session *session, void *asked,
	    const struct http_answer *http);
	/* A signal came before the answer. */
	void (*interrupt)(void *asked);
};

/* Ask all n of them; returns when each is done, or after a signal. */
void questions_ask(struct session *session, const struct question_kind *kind,
    void *asked, size_t n);

/* For send: this request is the question's. */
void question_send(struct session *session, struct question *question,
    const struct http_request *http);
/* For take: send it anew after wait_ms, or what the answer asks for. */
void question_again(struct session *session, struct question *question,
    int64_t wait_ms, int64_t retry_after_ms);

#endif
