# Whose counter rose: awk -v now=… -v glanced=FILE -f prove.awk -f glance.awk GLANCED WATCHED /proc/net/dev. In all rounds, because
# to ask wg(8) of fifty devices takes ten times as long. Of the devices in WATCHED prints those of which it proves nothing.
FILENAME == glanced && NF == 4 {
  bytes[$1] = $2
  rate[$1] = $3
  at[$1] = $4
  next
}
$1 == "watched" {
  watched[$2] = 1
  next
}
{
  sub(/:/, " ")
  if ($1 in watched) brought[$1] = $2
}
END {
  printf "" >glanced
  for (dev in watched) {
    more = brought[dev] - bytes[dev]
    now_rate = now > at[dev] ? more / (now - at[dev]) : 0
    if (!(dev in at) || !proves(more, now_rate, rate[dev])) print "silent", dev
    if (dev in brought) print dev, brought[dev], sprintf("%.2f", now_rate), now >glanced
  }
}
