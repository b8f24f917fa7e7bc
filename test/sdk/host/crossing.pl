# Stands between two Rosenpass daemons, and has their first calls cross: of each kind of message, one end's is held until there is
# one of the other end, too. All that comes later passes.
#     perl crossing.pl ADDRESS:PORT ADDRESS:PORT
# Each daemon calls this machine at the other's port.
use strict;
use warnings;
use Socket;

my @ends = map { my ($address, $port) = split /:/; { at => pack_sockaddr_in($port, inet_aton($address)), port => $port } } @ARGV;
# What comes to the port of one is the other's.
for my $i (0, 1) {
  socket $ends[$i]{socket}, PF_INET, SOCK_DGRAM, 0 or die "socket: $!";
  bind $ends[$i]{socket}, pack_sockaddr_in($ends[$i]{port}, INADDR_ANY) or die "bind: $!";
}
# By kind, the first byte: 0x81 InitHello, 0x82 RespHello, 0x83 InitConf (Rosenpass 0.2, msgs.rs).
my (%held, %passed);

while (1) {
  my $ready = '';
  vec($ready, fileno $_->{socket}, 1) = 1 for @ends;
  select $ready, undef, undef, undef;
  for my $to (0, 1) {
    next unless vec $ready, fileno $ends[$to]{socket}, 1;
    recv $ends[$to]{socket}, my $message, 65535, 0;
    my $kind = ord $message;
    if ($passed{$kind} || $passed{0x83}) {
      send $ends[1 - $to]{socket}, $message, 0, $ends[$to]{at};
      next;
    }
    $held{$kind}[$to] = $message;
    next unless $held{$kind}[0] && $held{$kind}[1];
    send $ends[1 - $_]{socket}, $held{$kind}[$_], 0, $ends[$_]{at} for 0, 1;
    $passed{$kind} = 1;
    syswrite STDOUT, "crossed\n" if $kind == 0x83;
  }
}
