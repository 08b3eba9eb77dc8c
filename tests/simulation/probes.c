/* probes.c - see probes.h */
#include "probes.h"

#include "base/probe.h"

#include <assert.h>

/* The linker's names for the ends of the section of probes. */
extern const char *const __start_podform_probes[];
extern const char *const __stop_podform_probes[];

static uint64_t *counting;

void
probe_seen(const char *const *probe)
{
	if (counting != NULL)
		counting[probe - __start_podform_probes]++;
}

void
probes_begin(uint64_t counts[PROBES_MAX])
{
	assert(probes_count() <= PROBES_MAX);
	counting = counts;
}

size_t
probes_count(void)
{
	/* One section, whatever cppcheck thinks. */
	/* cppcheck-suppress comparePointers */
	return (size_t)(__stop_podform_probes - __start_podform_probes);
}

const char *
probes_name(size_t number)
{
	return __start_podform_probes[number];
}
