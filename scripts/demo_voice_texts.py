"""What the demo voice says while it is recorded: everyday and song-like sentences, and words thrown together.

Written for this project. The word list covers the English phonemes in many neighbourhoods; `sentences` adds random
strings of them, so that any two sounds meet.
"""

from __future__ import annotations

import numpy as np

SENTENCES = """
The morning light comes in through the open window.
Take my hand and walk with me along the river.
I never thought that we would end up here again.
When the night falls, all the stars begin to shine.
She sells fresh fish and chips by the old stone bridge.
You and I could fly above the city lights.
Don't let go of what you know is true.
Every day I wake and wonder where you are.
There is a house down by the sea where children play.
Hold on to the moment before it slips away.
The quick brown fox jumps over the lazy dog.
Time after time I lose my mind for you.
My heart is beating like a drum inside my chest.
We danced until the sun came up on Sunday.
Nothing ever stays the same for very long.
Oh, how I long to hear your voice once more.
He picked up the guitar and played a gentle tune.
The thunder rolled across the wide and empty plain.
Please tell me why you had to leave so soon.
It was only a dream, but it felt so real.
Somewhere in the distance I can hear a train.
The river flows forever down into the ocean.
Give me just a little more time to think.
I remember every word you ever said to me.
Around the corner there's a shop that sells old books.
If you ever need a friend, just call my name.
The judge gave a large orange to George the giant.
We are the ones who stay awake all night.
A cold wind blows through the trees in winter.
Would you stay if I asked you not to go?
Under the bridge the water is quiet and deep.
I have been waiting such a long, long time.
All of the things that we used to do together.
Yesterday is gone and tomorrow may never come.
The boy enjoys a noisy toy in the yard.
With this ring I give you all my love.
Look at the moon, how she hangs above the hill.
Nobody knows the trouble I have seen this year.
Sing me a song that I have never heard before.
You make me feel like I am home again.
Through the fire and the flame we find our way.
The measure of a treasure is the pleasure that it brings.
I want to hold you close and never say goodbye.
Three thin thieves thought a thousand thoughts.
Run away with me tonight, we'll chase the setting sun.
The world keeps turning though my heart stands still.
Why don't we drive out of town and leave it all behind?
Good evening, ladies and gentlemen, welcome to the show.
Shadows on the wall remind me of your face.
Where have all the summer flowers gone?
Keep your eyes upon the road and your hands upon the wheel.
I can see the colours of the rainbow in the rain.
Peter Piper picked a peck of pickled peppers.
Even when it's over, I will still believe in you.
The valley echoes with the voices of the young.
Let it be, let it go, let the water take it slow.
Zebras and lazy lizards doze in the hazy sun.
We'll be together until the very end of time.
I am standing on the edge of something beautiful.
Baby, won't you tell me what is on your mind?
Hush now, little one, close your sleepy eyes.
The church bells ring for which child, teacher?
Your smile is brighter than a thousand diamonds.
What would I give to have you by my side?
Look into my eyes and you will see the truth.
Far away beyond the mountains lies a golden land.
It's the way you move, it's the way you talk.
Falling, falling, I keep falling deeper into blue.
The old man told a story of a ship that sailed alone.
Wake me up when the storm has passed us by.
Half of my heart is in Havana, half is here with you.
Put your trust in us, and we must push on.
Bring the book back, Jack, and pack it in the black bag.
How now, brown cow, out and about on the ground.
Hey, hey, what do you say, are you going my way?
La la la la la, na na na na na, yeah yeah yeah.
Ooh, ooh, ooh, I am in love with the feeling.
Ah, the joy of flying high above the clouds.
I feel it in my fingers and I feel it in my toes.
Five white mice ride nice bikes by the light.
Cool blue moons rule June's smooth tunes.
See these green leaves and feel the breeze.
Go slow, don't show the road to those who know.
They say the rain in Spain stays mainly in the plain.
Stop, look and listen before you cross the street.
Strange strong strings stretch straight across the street.
Whisper softly, whisper sweetly, whisper in my ear.
You were always there when I needed someone.
Nothing compares to the warmth of the summer air.
And I will always, always love you from afar.
Turn around, bright eyes, every now and then.
It takes two to tango, but one to be alone.
Every breath, every step, every word that you said.
We had it all, and then we let it slip away.
If I could turn the pages back, I'd do it all again.
Beautiful people with a beautiful soul.
How many roads must we walk down together?
The last time I saw you, you were wearing blue.
Maybe tomorrow we will find a better place.
Singing in the shower, dancing in the street.
This is the time, this is the place to begin.
When I'm with you the hours seem like minutes.
Still, it seems the world stands still for us.
Always on my mind, always in my heart, always.
Like a stone at the bottom of a wishing well.
"""

WORDS = """
about above across after again against air all alone along always am angel another answer anything apple are arms
around ask away baby back bad ball bath beach bear beat beautiful because bed been before begin believe bell below
best better between beyond bird bitter black bleed blind blood blow blue body boat bone book born both bottle bottom
bought boy brave bread break breath bridge bright bring broken brother brown build burn but butter buy call came can
care carry castle catch chain chance change chase cheap cheer child choice choose church circle city clean clear climb
close cloud coat coin cold colour come cook cool corner could count country cover crazy cream cross crowd crown cry
cup dance danger dark daughter day dead dear deep desert dirt doctor dog door doubt down dream drink drive drop drum
dust each ear early earth easy eat edge eight else empty end enough even ever every eye face fade fair faith fall far
fast father fear feather feel feet fell fight fill find finger fire first fish five flame float floor flower fly fog
follow food foot for forever forget forgive found four free fresh friend from full game garden gentle ghost girl give
glass go gold gone good goodbye grass gray great green ground grow guess guitar had hair half hand hang happy hard
hate have head hear heart heat heaven heavy help here hide high hill hold hole holy home honey hope horse hot hour
house how hundred hurt ice if inside island join joy judge juice jump june just keep key kid kill kind king kiss knee
knife know ladder lady lake land last late laugh law lead leaf learn leave left leg lemon less letter lie life lift
light like line lion lips listen little live lonely long look lord lose loud love low luck lunch machine magic make
man many march mark marry match may me mean measure meet memory middle might milk mind mirror miss money month moon
more morning most mother mountain mouth move much music must my myself name near neck need neighbour never new next
nice night nine noise none north nose nothing now number ocean off often oil old once one only open orange order other
ought our out over own page pain paint paper park part party pass past path peace people perfect phone photo picture
piece place plane play please pleasure pocket point poor power pray prayer pretty price pride promise proud pull push
put queen question quick quiet quite rage rain raise reach read ready real reason red remember rest rich ride right
ring rise river road rock roll roof room rose rough round rule run sad safe said sail salt same sand save say school
sea search season seat second secret see seem send seven shade shadow shake shall shame shape share sharp she ship
shirt shoe shop shore short should shoulder shout show shy sick side sigh sign silence silver simple since sing sister
sit six skin sky sleep slow small smart smile smoke smooth snow so soft sold some son song soon sorry soul sound south
space speak spirit spoon spring square stand star start stay steel step still stone stop storm story strange street
string strong sugar summer sun sure surprise sweet swim sword table take talk tall taste teach tear tell ten thank
that their them then there these they thick thing think third this those though thought thousand three through throw
thunder tide tie tiger time tired to today together told tomorrow tongue tonight too tooth touch toward town toy train
treasure tree trouble true trust truth try turn twelve twenty two under until up us use usual valley vision voice
vowel wait wake walk wall want war warm was wash watch water wave way we weak wear weather week weight welcome well
were west what wheel when where which while whisper white who whole why wide wild will wind window wine wing winter
wish with wolf woman wonder wood word work world worry would write wrong year yellow yes yesterday yet you young your
zebra zero zone
"""


def sentences(count: int, seed: int) -> list[str]:
    """Return `count` texts: the written ones first, then strings of 6 to 10 random words."""
    rng = np.random.default_rng(seed)
    written = SENTENCES.strip().splitlines()
    words = WORDS.split()
    thrown = [" ".join(rng.choice(words, size=int(rng.integers(6, 11)))) + "." for _ in range(count)]
    return (written + thrown)[:count]
