/*
 * strike.h - which faults strike one request.
 *
 * strike_draw() asks the scripts first and then chance; http.c then carries
 * out what was drawn.  At most one of the faults that replace an answer
 * (errors before and after, drops, delays, bodies) is left standing, so that
 * each count of fired faults is one that really happened.
 */
#ifndef MODEL_STRIKE_H
#define MODEL_STRIKE_H

#include "model/rest.h"

struct strike {
	uint64_t faults;	/* bits */
	int status;		/* 0: draw one that suits */
	bool scripted;
	enum model_transport transport;	/* of a script */
	size_t cut;
	int64_t delay_ms;	/* of a script */
	struct str body, retry_after;	/* of a script */
};

bool strike_has(const struct strike *strike, enum model_fault fault);
void strike_draw(struct model *model, enum model_call call,
    struct strike *strike);
/* Count a fault that is being carried out. */
void strike_fired(struct model *model, struct model_reply *reply,
    enum model_fault fault);

/* Carry out: what happens beside the request, and to the model while it is
 * served. */
void strike_before(struct model *model, struct arena *arena,
    const struct strike *strike, struct model_reply *reply);
void strike_arm(struct model *model, const struct strike *strike,
    struct model_reply *reply);
void strike_disarm(struct model *model);
/* Carry out: an answer without an effect; false if none is due. */
bool strike_refuses(struct model *model, struct arena *arena,
    enum model_call call, const struct model_request *request,
    const struct strike *strike, struct model_reply *reply);
/* Carry out: what becomes of the answer to what was served. */
void strike_after(struct model *model, struct arena *arena,
    enum model_call call, const struct strike *strike,
    struct model_reply *reply);

#endif
