/** What turns the direction of text, UAX #9, as a part of a class of characters: who shows others' text leaves it out. */
export const TURNS = String.raw`\u200e\u200f\u202a-\u202e\u2066-\u2069`;
