/*
 * talk.h - what the holder and its clients say: one line of JSON each.
 *
 * A client connects to the socket, sends one request and gets one answer;
 * hanging up before that means that it does not want it any more.
 *
 *	-> {"protocol":1,"version":"0.1.0","verb":"open","timeout_ms":60000,
 *	    "tunnel":{...},"ssh":{...},"start":"...","pin":"..."}
 *	<- {"protocol":1,"version":"0.1.0","ok":true,"tunnels":[{...}]}
 *
 * `protocol`, `version`, the verb "end" and the members `ok` and `reason`
 * mean the same in every protocol, so that an older and a newer podform can
 * tell each other that they do not fit, and end each other's holder.
 * Everything else is read strictly: members that are not known are refused.
 */
#ifndef TUNNEL_TALK_H
#define TUNNEL_TALK_H

#include "base/arena.h"
#include "base/strbuf.h"
#include "base/tunnel.h"

enum {
	TALK_PROTOCOL = 1,
	TALK_REQUEST_MAX = 64 << 10,
	TALK_ANSWER_MAX = 8 << 20,	/* 1024 tunnels, everything escaped */
};

struct talk_request {
	int64_t protocol;
	struct str version;		/* of the podform that speaks */
	bool end;			/* close all and end; no request */
	struct holder_request request;
	struct str keys;		/* directory of the project's SSH key */
};

struct talk_answer {
	int64_t protocol;
	struct str version;
	bool ok;			/* of a stranger: all that there is */
	struct holder_answer answer;
};

/* Append one line.  The protocol is ours whatever the struct says. */
void talk_write_request(struct strbuf *out,
    const struct talk_request *request);
void talk_write_answer(struct strbuf *out, const struct talk_answer *answer);

/*
 * Read a line; false with *why for what is none.  Of another protocol than
 * ours only the members that mean the same everywhere are read.  Strs are in
 * the arena or borrow text.
 */
bool talk_read_request(struct arena *arena, struct str text,
    struct talk_request *out, struct str *why);
bool talk_read_answer(struct arena *arena, struct str text,
    struct talk_answer *out, struct str *why);

#endif
