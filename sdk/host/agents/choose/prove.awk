# A counter that rose says that a link is alive: not by what our own three echoes and a handshake bring (bytes), and where it
# rose much slower than before, the link may have been cut meanwhile.
function proves(more, rate, before) { return more > 700 && rate >= 0.75 * before }
