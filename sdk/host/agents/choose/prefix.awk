# Whether an address lies in a prefix: both as bits.

# bits(ADDRESS): 4 or 6, and then its bits as 0 and 1; nothing for what is no address. An IPv4-mapped address (RFC 4291,
# 2.5.5.2) is the one that it reaches. Each is worked out once.
function bits(address) {
  if (!(address in known_bits)) known_bits[address] = address ~ /:/ ? bits6(tolower(address)) : bits4(address)
  return known_bits[address]
}

function bits4(address,   parts, i, text) {
  if (address !~ /^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$/) return ""
  split(address, parts, ".")
  for (i = 1; i <= 4; i++) {
    if (length(parts[i]) > 3 || parts[i] > 255) return ""
    text = text nibble(int(parts[i] / 16)) nibble(parts[i] % 16)
  }
  return "4" text
}

function bits6(address,   halves, count, head, tail, text) {
  if (address ~ /[^0-9a-f:]/ || address ~ /:::/) return ""
  count = split(address, halves, "::")
  if (count > 2) return ""
  head = words6(halves[1])
  if (count == 2) {
    tail = words6(halves[2])
    if (head == "?" || tail == "?" || length(head) + length(tail) > 112) return ""
    while (length(head) + length(tail) < 128) head = head "0000"
  }
  text = head tail
  if (length(text) != 128) return ""
  if (substr(text, 1, 96) == mapped_bits()) return "4" substr(text, 97)
  return "6" text
}

# words6(TEXT): bits of words of at most four digits between colons; "?" where it is something else.
function words6(text,   words, count, i, j, all) {
  if (text == "") return ""
  count = split(text, words, ":")
  for (i = 1; i <= count; i++) {
    if (words[i] == "" || length(words[i]) > 4) return "?"
    words[i] = substr("000" words[i], length(words[i]))
    for (j = 1; j <= 4; j++) all = all nibble(index("0123456789abcdef", substr(words[i], j, 1)) - 1)
  }
  return all
}

function nibble(number) { return substr("0000000100100011010001010110011110001001101010111100110111101111", 4 * number + 1, 4) }

function mapped_bits(   text) {
  while (length(text) < 80) text = text "0"
  return text "1111111111111111"
}

# within(PREFIX, ADDRESS)
function within(prefix, address,   parts, from) {
  split(prefix, parts, "/")
  from = bits(parts[1])
  return from != "" && substr(from, 1, 1 + parts[2]) == substr(bits(address), 1, 1 + parts[2])
}
