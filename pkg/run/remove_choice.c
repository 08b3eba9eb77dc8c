/* remove_choice.c - see remove_choice.h */
#include "run/remove_choice.h"

enum remove_way
remove_choose(const struct remove_state *state)
{
	if (!state->may_send)
		return REMOVE_CANNOT;
	if (state->removed)
		return REMOVE_AFTERWARDS;
	if (state->force)
		return REMOVE_DELETE;
	if (state->orphan)
		return REMOVE_LIST;
	return state->may_run ? REMOVE_LOOK : REMOVE_DELETE;
}

enum remove_way
remove_by_listing(const struct remove_listing *listing)
{
	if (!listing->known || (listing->listed && listing->busy))
		return REMOVE_LATER;
	/* Neither side hears of it: there is nothing to wait for. */
	if (!listing->listens && !(listing->listed && listing->online))
		return REMOVE_DELETE;
	return listing->window_over ? REMOVE_DELETE : REMOVE_AGAIN;
}
