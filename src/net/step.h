/*
 * step.h
 *	  What a read or write of many items wants of its caller next: nothing on
 *	  this floor waits by itself.
 */
#ifndef DYN_STEP_H
#define DYN_STEP_H

typedef enum DynStep
{
	DYN_STEP_ROW,				/* only of reads */
	DYN_STEP_WAIT,				/* wait for the client, then call again */
	DYN_STEP_AGAIN,				/* call again at once; only of reads */
	DYN_STEP_END,
	DYN_STEP_FAILED
} DynStep;

#endif							/* DYN_STEP_H */
