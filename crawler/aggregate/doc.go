// Package aggregate sums records up as they are committed: by groups, with counts,
// sums, averages, least and greatest values.
//
// It promises that a result is that of the committed records, each counted once, and
// does not depend on their order: the state of each group stands in the frontier's
// batch with the outcomes of the pages that changed it, and numbers are added as
// decimals, exactly. So a run that was killed has the results of one that was not, to
// the last digit.
//
// It holds every group in memory, of which there are as many as a Spec allows, and
// refuses more: Fold then fails, which stops the run before anything of the batch is
// committed. To sum up more groups is a database's work.
package aggregate
