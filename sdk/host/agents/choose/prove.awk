# A counter that goes on rising as it did says that a link is alive. Not what our own three echoes and a handshake bring
# (bytes); nor where it rose much slower than before, or faster: then the link may have been cut meanwhile. Who is asked
# for nothing has lost nothing.
function proves(more, rate, before) { return more > 700 && rate >= 0.75 * before && before >= 0.75 * rate }
