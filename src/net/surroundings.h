/*
 * surroundings.h
 *	  The environment, the home directory and the files of this process, for
 *	  whoever looks for AWS access keys there.
 */
#ifndef DYN_SURROUNDINGS_H
#define DYN_SURROUNDINGS_H

#include "core/key_plan.h"

/* A longer file is none of AWS's. */
#define DYN_SHARED_FILE_MAX (1024 * 1024)

/* Those of this process; what they give stays valid until they are asked again. */
extern const DynSurroundings dyn_surroundings;

#endif							/* DYN_SURROUNDINGS_H */
