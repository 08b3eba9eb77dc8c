/*
 * login.c - from a connected socket to a session that is up
 *
 * The worker says which host key it sees; we compare it with the pins before
 * anything else is sent.  Then keys are offered one by one, and what the
 * worker wants signed is looked at before it is signed.
 */
#include <string.h>
#include <unistd.h>

#include "ssh/blob.h"
#include "ssh/key_file.h"
#include "ssh/session.h"

enum { SIGNATURES_MAX = IDENTITIES_MAX, BLOB_MAX = 16 << 10 };

static struct str
user_of(const struct session *session)
{
	return session->target.user.len > 0 ? session->target.user :
	    STR("root");
}

static void
say(struct session *session, enum wire_type type, struct str payload)
{
	session_send(session, &(struct wire){
		.type = type, .payload = payload.data, .size = payload.len,
		.fd = -1,
	});
}

void
login_begin(struct session *session)
{
	int tcp = session->watch_tcp.fd;
	int64_t left = session->deadline_ms - ssh_now(session->ssh);
	struct str user = user_of(session);
	int wire = worker_spawn(session->ssh);

	if (wire < 0) {
		session_down(session, SSH_LOCAL, "cannot start the SSH worker "
		    "'%s': %s", session->ssh->config.worker, strerror(-wire));
		return;
	}
	session->state = SESSION_HANDSHAKE;
	session_watch(session, &session->watch_wire, wire, 0);
	session_unwatch(session, &session->watch_tcp);
	session->watch_tcp.fd = -1;
	session_send(session, &(struct wire){
		.type = WIRE_LOGIN, .payload = user.data, .size = user.len,
		.a = left > 0 ? left : 1, .fd = tcp,
	});
}

/* ------------------------------------------------------------ host key ---- */

/* In a time that does not depend on where they differ. */
static bool
same(struct str a, struct str b)
{
	unsigned char differ = 0;
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		differ = (unsigned char)(differ | (a.data[i] ^ b.data[i]));
	return differ == 0;
}

bool
login_pinned(const struct ssh_target *target, struct str fingerprint)
{
	bool found = target->npins == 0;
	/* The fingerprint is the SHA-256 of the whole blob, in which the
	 * type of the key stands first. */
	for (size_t i = 0; i < target->npins; i++)
		found |= same(target->pins[i], fingerprint);
	return found;
}

static void offer(struct session *session);

static void
host_key(struct session *session, const struct wire *message)
{
	struct str bytes = { message->payload, message->size };
	struct str why;

	if (message->a < 16 || message->a > BLOB_MAX ||
	    (size_t)message->a > bytes.len) {
		session_down(session, SSH_UNUSABLE, "no host key came");
		return;
	}
	session->blob = arena_str(&session->arena,
	    str_sub(bytes, 0, (size_t)message->a));
	session->fingerprint = blob_fingerprint(&session->arena,
	    session->blob);
	if (!login_pinned(&session->target, session->fingerprint)) {
		session_down(session, SSH_WRONG_HOST_KEY, "the host key is "
		    STR_FMT ", which is not the pinned one",
		    STR_ARG(session->fingerprint));
		return;
	}
	/* One that is refused is not to be remembered. */
	if (session->ssh->config.host_key != NULL)
		session->ssh->config.host_key(session->ssh->config.ctx,
		    &session->target, session->blob, session->fingerprint);
	if (!keys_offer(session->ssh->config.keys, session->target.key,
		&session->identities, &session->agent, &why)) {
		session_down(session, SSH_DENIED, STR_FMT, STR_ARG(why));
		return;
	}
	session->state = SESSION_LOGIN;
	session->ssh->work = true;
	say(session, WIRE_TRUST, (struct str){0});
	offer(session);
}

/* -------------------------------------------------------------- agents ---- */

static void
agent_start(struct session *session, struct agent_op *op, bool signs)
{
	session->agent_op = op;
	session->agent_signs = signs;
	session->agent_ms = ssh_now(session->ssh) +
	    (signs ? AGENT_SIGN_MS : AGENT_MS);
	login_agent_ready(session);
}

static void
agent_finish(struct session *session)
{
	session_unwatch(session, &session->watch_agent);
	session->watch_agent.fd = -1;	/* the operation closes it */
	agent_op_free(session->agent_op);
	session->agent_op = NULL;
}

static void
agent_listed(struct session *session, bool ok)
{
	struct agent_key *list = NULL;
	size_t n = 0;

	if (!ok || !agent_op_keys(session->agent_op, &session->arena, &list,
		&n))
		session->agent_why = arena_printf(&session->arena,
		    "the SSH agent: %s", agent_op_why(session->agent_op));
	else if (n == 0)
		session->agent_why = STR("the SSH agent has no key");
	size_t before = session->identities.n;
	for (size_t i = 0; i < n; i++)
		if (agent_key_usable(list[i].blob))
			identities_add(&session->identities,
			    &(struct identity){
				.blob = list[i].blob,
				.words = arena_printf(&session->arena,
				    "the agent's key '" STR_FMT "'",
				    STR_ARG(list[i].comment)),
				.agent = session->agent,
			});
	if (n > 0 && session->identities.n == before)
		session->agent_why = STR("the SSH agent has only keys of "
		    "kinds that cannot be used (RSA, security keys)");
	session->agent = (struct str){0};
	agent_finish(session);
	offer(session);
}

static void
agent_signed(struct session *session, bool ok)
{
	const struct identity *identity =
	    &session->identities.list[session->at];
	struct str signature = {0};

	ok = ok && agent_op_signature(session->agent_op, &session->arena,
	    &signature) && signature.len <= WIRE_PAYLOAD_MAX &&
	    str_eq(blob_key_type(signature), blob_key_type(identity->blob));
	if (!ok)
		session->agent_why = arena_printf(&session->arena,
		    "the SSH agent did not sign: %s",
		    agent_op_why(session->agent_op));
	agent_finish(session);
	say(session, WIRE_SIGNATURE, ok ? signature : (struct str){0});
}

void
login_agent_ready(struct session *session)
{
	enum agent_step step = agent_op_step(session->agent_op);
	if (step == AGENT_READ || step == AGENT_WRITE) {
		session_watch(session, &session->watch_agent,
		    agent_op_fd(session->agent_op), step == AGENT_WRITE);
		return;
	}
	if (session->agent_signs)
		agent_signed(session, step == AGENT_DONE);
	else
		agent_listed(session, step == AGENT_DONE);
}

void
login_agent_late(struct session *session)
{
	if (session->agent_signs)
		agent_signed(session, false);
	else
		agent_listed(session, false);
}

/* ------------------------------------------------------------ identities -- */

static void
denied(struct session *session)
{
	struct strbuf words = {0};
	for (size_t i = 0; i < session->identities.n; i++)
		strbuf_addf(&words, "%s" STR_FMT, i > 0 ? ", " : "",
		    STR_ARG(session->identities.list[i].words));
	if (session->identities.n == 0)
		strbuf_adds(&words, "none was there to be offered");
	if (session->agent_why.len > 0)
		strbuf_addf(&words, "; " STR_FMT,
		    STR_ARG(session->agent_why));
	struct str user = user_of(session);
	session_down(session, SSH_DENIED, "no key is accepted for user '"
	    STR_FMT "': " STR_FMT, STR_ARG(user),
	    STR_ARG(strbuf_str(&words)));
	strbuf_release(&words);
}

/* Offer the one at `at`; after the files' the agent is asked for its own. */
static void
offer(struct session *session)
{
	if (session->at < session->identities.n) {
		const struct identity *identity =
		    &session->identities.list[session->at];
		ssh_trace(session->ssh, "ssh: offering " STR_FMT,
		    STR_ARG(identity->words));
		say(session, WIRE_IDENTITY, identity->blob);
	} else if (session->agent.len > 0) {
		agent_start(session, agent_op_list(session->agent), false);
	} else {
		denied(session);
	}
}

static void
sign(struct session *session, struct str data)
{
	struct str signature;
	const char *why;

	if (session->at >= session->identities.n ||
	    session->agent_op != NULL ||
	    session->signatures++ >= SIGNATURES_MAX ||
	    !keys_is_login(data, user_of(session),
		session->identities.list[session->at].blob)) {
		session_down(session, SSH_UNUSABLE, "the worker wanted "
		    "something signed that is no login");
		return;
	}
	const struct identity *identity =
	    &session->identities.list[session->at];
	if (identity->key == NULL)
		agent_start(session, agent_op_sign(identity->agent,
		    identity->blob, data), true);
	else if (key_file_sign(&session->arena, identity->key, data,
		&signature, &why))
		say(session, WIRE_SIGNATURE, signature);
	else
		say(session, WIRE_SIGNATURE, (struct str){0});
}

static void
is_up(struct session *session)
{
	session->state = SESSION_UP;
	session->ssh->work = true;
	ssh_trace(session->ssh, "ssh: logged in");
}

void
login_message(struct session *session, const struct wire *message)
{
	bool shaking = session->state == SESSION_HANDSHAKE;

	if (message->type == WIRE_HOST_KEY && shaking)
		host_key(session, message);
	else if (message->type == WIRE_SIGN && !shaking)
		sign(session, (struct str){ message->payload,
		    message->size });
	else if (message->type == WIRE_REJECTED && !shaking &&
	    session->agent_op == NULL) {
		session->at++;
		offer(session);
	} else if (message->type == WIRE_UP && !shaking)
		is_up(session);
	else
		session_down(session, SSH_UNUSABLE, "the worker does not keep "
		    "to its protocol");
}
