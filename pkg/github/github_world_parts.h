/*
 * github_world_parts.h - what the parts of github_world.c share; private.
 */
#ifndef GITHUB_WORLD_PARTS_H
#define GITHUB_WORLD_PARTS_H

#include "base/strbuf.h"
#include "github/github_app.h"
#include "github/github_cache.h"
#include "github/github_world.h"

enum { GITHUB_WORLD_LINKS = 32 };	/* next pages whose place is known */

struct github_call {
	struct github_call *next;
	struct arena arena;		/* texts of request */
	uint64_t outer, inner;		/* outer 0: one of ours, for place */
	struct http_request request;
	int place;			/* of an App's token; -1 none */
	int redirects;
	int64_t give_up_ms;		/* while held for a limit */
	bool out, own_bearer, refused;
	/* Answered by us. */
	bool ready;
	int status;			/* 0: not sent */
	struct str words;
};

struct github_world {
	struct world world, *inner;
	struct strbuf api;
	struct github_world_config config;
	bool asked;			/* for the credential */
	struct github_credential credential;
	struct github_app *app;
	struct github_cache *cache;
	struct github_call *calls;		/* oldest first */
	uint64_t last_inner;
	int64_t limit_ms;		/* mono: nothing is sent before */
	int secondary;			/* such limits in a row */
	int64_t change_ms;		/* mono: no change before */
	int64_t pumped_ms;		/* mono: when pump() looked last */
	struct {
		struct strbuf url;
		int place;
	} links[GITHUB_WORLD_LINKS];
	size_t nlinks;
	struct strbuf token_ends;
};

int64_t github_world_now_ms(const struct github_world *gh);
int64_t github_world_boot_ms(const struct github_world *gh);
int64_t github_world_wall_ms(const struct github_world *gh);

/* It is over: out of the list and freed. */
void github_call_end(struct github_world *gh, struct github_call *call);
/* Every call that waits for the token of a place hears why there is none. */
void github_world_fail_place(struct github_world *gh, int place);

/* ----------------------------------------------------- github_answer.c -- */

/* One of ours came back. */
void github_answer_own(struct github_world *gh, struct github_call *call,
    struct arena *arena, const struct http_answer *answer);
/* What came for a call of the core: true if it is the core's to see. */
bool github_answer_take(struct github_world *gh, struct github_call *call,
    struct arena *arena, struct http_answer *answer);

#endif
