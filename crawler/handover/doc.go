// Package handover lets a process give way to a newer binary of itself, in the same
// process: its number, its parent and its listening socket stay. It also takes a socket
// from a service manager and tells it how the process is (sd_listen_fds(3),
// sd_notify(3)).
//
// It promises that nothing is given up before the successor has shown that it can start
// ([Check]), and that where it cannot be started after all, [Replace] returns and the
// caller can go on. Who connects meanwhile waits in the socket's queue.
//
// It refuses to know what the caller must put down before it gives way.
package handover
