// Package plan is amble plan: what a run would ask for, and the least time that takes.
//
// It promises to fetch robots.txt, tdmrep.json and sitemaps only, as politely as a run
// does, to write nothing, and to keep a bounded census whatever the lists hold: where it
// meets a bound, the plan says so. Report is what --json prints; keys are added to it,
// never renamed. The arithmetic of delays is package plan's below crawler.
package plan
