/* faults.c - see faults.h */
#include "faults.h"

#include "tale.h"

#include <string.h>

static const char *const own_names[OWN_FAULT_COUNT] = {
	[OWN_KILLED] = "F20 killed", [OWN_POWER] = "F21 power_lost",
	[OWN_SIGNAL] = "F30 interrupted", [OWN_RIVAL] = "F33 rival",
	[OWN_LOST] = "machine_lost", [OWN_CUT_LIST] = "F03 cut_list",
	[OWN_WALL_JUMP] = "F16 jump", [OWN_WALL_SLEW] = "F16 slew",
	[OWN_SUSPENDED] = "F17 suspended", [OWN_PAUSED] = "F18 paused",
	[OWN_NO_SPACE] = "F22 no_space", [OWN_QUOTA] = "F22 quota",
	[OWN_IO_ERROR] = "F22 io_error", [OWN_READ_ONLY] = "F22 read_only",
	[OWN_DENIED] = "F22 denied", [OWN_DESCRIPTORS] = "F22 descriptors",
	[OWN_SHORT_WRITE] = "F22 short_write", [OWN_EINTR] = "F22 eintr",
	[OWN_SYNC_LIES] = "F23 sync_lies", [OWN_FLIPPED] = "F24 flipped",
	[OWN_CUT] = "F24 cut", [OWN_REPLACED] = "F25 replaced",
	[OWN_DELETED] = "F25 deleted", [OWN_LINKED] = "F25 linked",
	[OWN_STOLEN] = "F25 stolen",
	[OWN_HOLD_BROKEN] = "F40 hold_broken",
	[OWN_STORE_LOST] = "F41 unanswered",
	[OWN_STORE_DROPPED] = "F41 dropped", [OWN_STORE_OLD] = "F43 old",
	[OWN_STORE_GONE] = "F44 gone",
};

void
fault_name(int kind, char out[FAULT_NAME])
{
	if (kind < FAULT_GUEST)
		snprintf(out, FAULT_NAME, "%s", model_fault_name(
		    (enum model_fault)kind));
	else if (kind < FAULT_HUB)
		snprintf(out, FAULT_NAME, "%s", guest_fault_name(
		    (enum guest_fault)(kind - FAULT_GUEST)));
	else if (kind < FAULT_PEOPLE)
		snprintf(out, FAULT_NAME, "github %s", hub_fault_name(
		    (enum hub_fault)(kind - FAULT_HUB)));
	else if (kind < FAULT_OWN)
		snprintf(out, FAULT_NAME, "F14 %s", people_act_name(
		    kind - FAULT_PEOPLE));
	else if (kind < FAULT_LIFE)
		snprintf(out, FAULT_NAME, "%s", own_names[kind - FAULT_OWN]);
	else
		snprintf(out, FAULT_NAME, "life %s", lives_name(
		    kind - FAULT_LIFE));
	/* One word: a family, a point, and what it does. */
	char *space = strchr(out, ' ');
	if (space != NULL)
		*space = '.';
	while ((space = strchr(out, ' ')) != NULL)
		*space = '_';
}

static bool
set_named(struct fault_mask *mask, const char *word, size_t len, bool value)
{
	bool any = len == 4 && memcmp(word, "none", 4) == 0;

	for (int kind = 0; kind < FAULT_KINDS; kind++) {
		char name[FAULT_NAME];
		fault_name(kind, name);
		if (strncmp(name, word, len) != 0 ||
		    (name[len] != '\0' && name[len] != '.'))
			continue;
		mask->off[kind] = value;
		any = true;
	}
	return any;
}

bool
fault_mask_list(struct fault_mask *mask, const char *list, bool value)
{
	for (;;) {
		size_t len = strcspn(list, ",");
		if (len == 0 || !set_named(mask, list, len, value))
			return false;
		if (list[len] == '\0')
			return true;
		list += len + 1;
	}
}

bool
fault_is_on(const struct sim *sim, int kind)
{
	return sim->mask == NULL || !sim->mask->off[kind];
}

bool
own_strikes(struct sim *sim, enum own_fault fault)
{
	if (!fault_is_on(sim, FAULT_OWN + (int)fault))
		return false;
	sim->own_struck[fault]++;
	return true;
}

void
fault_mask_model(const struct sim *sim, struct model_faults *faults)
{
	for (int call = 0; call < MODEL_CALL_COUNT; call++)
		for (int i = 0; i < MODEL_FAULT_COUNT; i++)
			if (!fault_is_on(sim, i))
				faults->per_mille[call][i] = 0;
}

void
fault_mask_hub(const struct sim *sim, struct hub_faults *faults)
{
	for (int call = 0; call < HUB_CALL_COUNT; call++)
		for (int i = 0; i < HUB_FAULT_COUNT; i++)
			if (!fault_is_on(sim, FAULT_HUB + i))
				faults->per_mille[call][i] = 0;
}

void
fault_counts(const struct sim *sim, int64_t counts[FAULT_KINDS])
{
	for (int i = 0; i < MODEL_FAULT_COUNT; i++)
		counts[i] = model_fired(sim->model, (enum model_fault)i);
	for (int i = 0; i < GUEST_FAULT_COUNT; i++)
		counts[FAULT_GUEST + i] = sim->guests->fired[i];
	for (int i = 0; i < HUB_FAULT_COUNT; i++)
		counts[FAULT_HUB + i] = hub_fired(sim->guests->hub,
		    (enum hub_fault)i);
	for (int i = 0; i < PEOPLE_ACTS; i++)
		counts[FAULT_PEOPLE + i] = sim->people[i];
	for (int i = 0; i < OWN_FAULT_COUNT; i++)
		counts[FAULT_OWN + i] = sim->own_struck[i];
	for (int i = 0; i < LIVES; i++)
		counts[FAULT_LIFE + i] = (int64_t)sim->lived[i];
}
