/* hold_links.c - the holder's links over pkg/ssh; see hold.h */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hold.h"
#include "ssh/ssh.h"

struct held_link {
	struct held_link *next;
	struct hold_links *links;
	uint32_t number;
	struct ssh_link *ssh;
};

struct hold_links {
	struct hold *hold;
	struct app *app;
	struct ssh_keys *keys;
	struct ssh *ssh;	/* made with the first link */
	struct held_link *list;
};

/* --------------------------------------------------------------- events -- */

static void
authenticating(void *ctx)
{
	const struct held_link *link = ctx;

	hold_event(link->links->hold, (struct holder_event){
		.type = HOLDER_ON_AUTHENTICATING, .link = link->number });
}

static void
up(void *ctx, struct str fingerprint)
{
	const struct held_link *link = ctx;

	hold_event(link->links->hold, (struct holder_event){
		.type = HOLDER_ON_UP, .link = link->number,
		.text = fingerprint });
}

static void
down(void *ctx, enum ssh_outcome outcome, struct str reason)
{
	const struct held_link *link = ctx;

	hold_event(link->links->hold, (struct holder_event){
		.type = HOLDER_ON_DOWN, .link = link->number,
		.outcome = outcome, .text = reason });
}

static void
rtt(void *ctx, int64_t us)
{
	const struct held_link *link = ctx;

	hold_event(link->links->hold, (struct holder_event){
		.type = HOLDER_ON_RTT, .link = link->number,
		.rtt_us = us });
}

static void
forward(void *ctx, uint32_t id, bool ok, uint16_t port, struct str reason)
{
	const struct held_link *link = ctx;

	hold_event(link->links->hold, (struct holder_event){
		.type = HOLDER_ON_FORWARD, .link = link->number,
		.tunnel = id, .ok = ok, .port = port, .text = reason });
}

static void
stats(void *ctx, uint32_t id, uint64_t connections, uint64_t bytes_in,
    uint64_t bytes_out)
{
	const struct held_link *link = ctx;

	hold_event(link->links->hold, (struct holder_event){
		.type = HOLDER_ON_STATS, .link = link->number, .tunnel = id,
		.connections = connections, .bytes_in = bytes_in,
		.bytes_out = bytes_out });
}

/* ------------------------------------------------------------------ life -- */

struct hold_links *
hold_links_new(struct hold *hold, struct app *app)
{
	struct hold_links *links = calloc(1, sizeof *links);

	if (links == NULL)
		fail_out_of_memory();
	links->hold = hold;
	links->app = app;
	return links;
}

static void
turn(void *ctx)
{
	struct hold_links *links = ctx;

	ssh_turn(links->ssh);
}

static int64_t
next_ms(void *ctx)
{
	const struct hold_links *links = ctx;

	return ssh_next_ms(links->ssh);
}

static bool
cancel(void *ctx, uint64_t token)
{
	(void)ctx;
	(void)token;
	return false;
}

/* podform-ssh is where podform is, or where PODFORM_SSH_WORKER says. */
static const char *
worker_path(struct app *app)
{
	struct str named = app_variable("PODFORM_SSH_WORKER");
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self);
	ptrdiff_t slash;

	if (named.len > 0)
		return arena_cstr(&app->arena, named);
	if (n <= 0 || (size_t)n == sizeof self)
		return "/usr/local/bin/podform-ssh";
	slash = str_rfind((struct str){ self, (size_t)n }, '/');
	return arena_printf(&app->arena, "%.*s/podform-ssh", (int)slash,
	    self).data;
}

/*
 * The key directory is known from the first client on.  Nobody can be asked
 * for a passphrase here: such keys are the agent's.
 */
static void
begin(struct hold_links *links, struct str key_directory)
{
	struct app *app = links->app;

	links->keys = ssh_keys_new(&(struct ssh_keys_config){
		.fs = &app->fs, .chance = &app->chance,
		.directory = arena_str(&app->arena, key_directory),
		.comment = STR("podform"),
		.key_path = app_variable("SSH_KEY_PATH"),
		.agent = app_variable("SSH_AUTH_SOCK") });
	links->ssh = ssh_new(&(struct ssh_config){
		.worker = worker_path(app), .clock = &app->clock,
		.keys = links->keys });
	io_world_attach(app->io, &(struct io_guest){ .ctx = links,
		.fd = ssh_fd(links->ssh), .turn = turn, .next_ms = next_ms,
		.cancel = cancel });
}

void
hold_links_free(struct hold_links *links)
{
	if (links == NULL)
		return;
	while (links->list != NULL)
		hold_links_close(links, links->list->number);
	if (links->ssh != NULL) {
		ssh_free(links->ssh);
		ssh_keys_free(links->keys);
	}
	free(links);
}

/* ----------------------------------------------------------------- links -- */

static struct held_link *
find(const struct hold_links *links, uint32_t number)
{
	struct held_link *link = links->list;

	while (link != NULL && link->number != number)
		link = link->next;
	return link;
}

void
hold_links_open(struct hold_links *links, uint32_t number,
    const struct ssh_target *target, struct str key_directory)
{
	static const struct ssh_link_calls calls = { authenticating, up, down,
		rtt, forward, stats };
	struct held_link *link = calloc(1, sizeof *link);

	if (link == NULL)
		fail_out_of_memory();
	if (links->ssh == NULL)
		begin(links, key_directory);
	*link = (struct held_link){ .next = links->list, .links = links,
		.number = number };
	links->list = link;
	link->ssh = ssh_link_open(links->ssh, target, &calls, link);
}

void
hold_links_close(struct hold_links *links, uint32_t number)
{
	struct held_link **at = &links->list, *link;

	while (*at != NULL && (*at)->number != number)
		at = &(*at)->next;
	link = *at;
	if (link == NULL)
		return;
	*at = link->next;
	ssh_link_close(link->ssh);
	free(link);
}

void
hold_links_forward(struct hold_links *links, uint32_t number, uint32_t tunnel,
    const struct tunnel_config *config, int listener)
{
	struct held_link *link = find(links, number);

	if (link != NULL)
		ssh_link_forward(link->ssh, tunnel, config, listener);
}

void
hold_links_unforward(struct hold_links *links, uint32_t number,
    uint32_t tunnel)
{
	struct held_link *link = find(links, number);

	if (link != NULL)
		ssh_link_unforward(link->ssh, tunnel);
}

void
hold_links_suspended(struct hold_links *links)
{
	if (links->ssh != NULL)
		ssh_suspended(links->ssh);
}
