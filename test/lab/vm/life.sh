# shellcheck shell=sh disable=SC2154 # lab, host and here are host.sh's
# A vm's boots, and its cables: taps. Sourced by host.sh.
# The lab writes, in the host's folder: `nics`, a line a cable (interface in the vm, tap, MAC address, MTU), `orders`,
# what QEMU is told before the vm starts, `port`, `seed.tar.gz` and `netem` (see guest/init).

plug_in() {
  pull_out
  ip -netns "ol-$lab-net" -batch links
}

pull_out() {
  while read -r _ tap _; do ip -netns "ol-$lab-net" link delete "$tap" 2>/dev/null || true; done <nics
}

# A kernel without a root file system is soon done: it panics, and the machine ends. Where /dev/kvm is there and does
# not work, it hangs. Found out once, and forgotten with the last lab (lab.ts).
accelerator() {
  known=/run/overlay-lab-accelerator
  # shellcheck disable=SC2094 # its lock, too
  (
    flock 9
    if [ ! -s $known ]; then
      accelerator=tcg
      ! timeout --signal KILL 2 qemu-system-x86_64 -nodefaults -no-user-config -display none -machine q35 -accel kvm \
        -cpu host -m 128 -no-reboot -kernel "$1/vmlinuz" -append panic=-1 9>&- || accelerator=kvm
      echo $accelerator >$known
    fi
  ) 9>>$known
  cat $known
}

# boot IMAGE: runs the vm until it is powered off; returns 133 when it asks for a reboot. Each boot is a process of its
# own: what is plugged in and given to it may have changed.
boot() {
  rm -f exec monitor
  ip -netns "ol-$lab-net" link set lo up
  # What the kernel need not do: its own tests, its defences against neighbours that are not there, calibrations.
  words="root=/dev/nvme0n1 rootfstype=ext4 rootwait rw init=/lab/init net.ifnames=0 console=ttyS0 TERM=dumb"
  words="$words loglevel=4 systemd.show_status=true panic=1 mitigations=off audit=0 nokaslr cryptomgr.notests"
  case $(accelerator "$1") in
  kvm) set -- "$1" -accel kvm -cpu host ;;
  *)
    # The translated code's size, in MiB; else it is as large as it likes. `max` would be emulated, too, and slower.
    set -- "$1" -accel tcg,thread=multi,tb-size=96 -cpu qemu64,+rdrand
    # Translated code is found by its address: a process that has libraries elsewhere than the one before takes five times
    # as long to start.
    # A kernel that boots on a busy machine may measure the TSC wrong, and a rate that is off by more than a percent it keeps
    # (arch/x86/kernel/tsc.c, tsc_refine_calibration_work): of a clock that has run ahead peers take no call after the next
    # boot. HPET's rate is QEMU's.
    words="$words tsc=reliable clocksource=hpet no_timer_check norandmaps"
    ;;
  esac
  while read -r device tap mac mtu; do
    set -- "$@" -netdev "tap,id=$tap,ifname=$tap,script=no,downscript=no" \
      -device "virtio-net-pci,id=$device,netdev=$tap,mac=$mac,host_mtu=$mtu,romfile="
  done <nics
  vmlinuz=$1/vmlinuz
  shift
  sh "$here/vm/connect.sh" "$lab" "$host" &
  code=0
  # cache=unsafe: what the vm has synced is in this machine's memory, and survives the end of QEMU, which is all that a
  # power cut is here. write-cache=off: QEMU's NVMe does not know of FUA, with which a file system writes the end of each
  # transaction, so that one in 16, the first in a cluster of the disk's file, was lost although it had been synced.
  nsenter --net="/run/netns/ol-$lab-net" \
    qemu-system-x86_64 -nodefaults -no-user-config -display none -machine q35 -m 256 -smp 1 -no-reboot \
    -kernel "$vmlinuz" -append "$words" \
    -drive "file=/var/tmp/overlay-lab/$lab/$host.img,format=qcow2,if=none,id=disk,cache=unsafe" -device nvme,serial=lab,drive=disk,write-cache=off \
    -chardev "socket,id=exec,host=127.0.0.1,port=$(cat port),server=on,wait=off" \
    -device virtio-serial-pci -device virtserialport,chardev=exec,name=lab \
    -chardev file,id=console,path=log,append=on -serial chardev:console \
    -chardev socket,id=monitor,path=monitor,server=on,wait=off -mon chardev=monitor,mode=control \
    -chardev stdio,id=events,signal=off -mon chardev=events,mode=control \
    -fw_cfg name=opt/lab/seed,file=seed.tar.gz -fw_cfg name=opt/lab/netem,file=netem \
    "$@" <orders >events || code=$?
  ! grep -q '"reason": "guest-reset"' events || code=133
  exit $code
}
